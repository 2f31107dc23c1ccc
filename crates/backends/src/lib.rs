//! Someone else's services behind our own words: blobs, clock, buckets and other people's web servers; each with an
//! embedded and a cluster adapter where it has two.

pub mod blob;
pub mod bucket;
pub mod clock;
pub mod outbound;

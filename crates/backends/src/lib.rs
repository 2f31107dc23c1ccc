//! Someone else's services behind our own words: blobs, the bus, the cache, clock, disks, countries, buckets, keys and other
//! people's web servers; each with an embedded and a cluster adapter where it has two.

pub mod blob;
pub mod bucket;
pub mod bus;
pub mod cache;
pub mod clock;
pub mod disk;
pub mod geo;
pub mod outbound;
pub mod playback_keys;
pub mod recent;

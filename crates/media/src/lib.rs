//! Media formats without I/O: CMAF/ISO-BMFF boxes, codec headers, the presentation descriptor, HLS and DASH manifests.
//!
//! Bytes in, bytes out, integer ticks throughout. Imports nothing of ours, no async runtime, no clock.

pub mod descriptor;

//! The HTTP face of the process: what wraps every request, the web app, health and metrics, and the listener.

pub mod assets;
pub mod gate;
pub mod health;
pub mod layers;
pub mod listen;
pub mod meters;
pub mod metrics;
mod pack;
pub mod quic;
pub mod throttle;
pub mod tls;

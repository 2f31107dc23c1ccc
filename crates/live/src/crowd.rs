//! How many connections an address has, whatever the protocol.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

/// How many connections each address has.
#[derive(Debug, Clone, Default)]
pub struct Crowd(Arc<Mutex<HashMap<IpAddr, u32>>>);

/// One of the crowd, until it is dropped.
pub struct Member(Crowd, IpAddr);

impl Crowd {
    /// `None` when there are as many as there may be; 0: any number.
    pub fn join(&self, address: SocketAddr, most: u32) -> Option<Member> {
        let address = match address.ip().to_canonical() {
            // Who has one address of a /64 has them all.
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
            address => address,
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(address).or_default();
        if most > 0 && *count >= most {
            return None;
        }
        *count += 1;
        Some(Member(self.clone(), address))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut all = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = all.entry(self.1) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_counted_by_address() {
        let crowd = Crowd::default();
        let join = |address: &str| crowd.join(address.parse().unwrap(), 2);
        let (one, two) = (join("10.0.0.1:1"), join("10.0.0.1:2"));
        assert!(one.is_some() && two.is_some() && join("10.0.0.1:3").is_none());
        let (six, seven) = (join("[2001:db8::1]:1"), join("[2001:db8::2]:1"));
        assert!(six.is_some() && seven.is_some() && join("[2001:db8::3]:1").is_none());
        assert!(join("[2001:db8:0:1::1]:1").is_some(), "another network");
        drop((one, six, seven));
        assert!(join("10.0.0.1:3").is_some());
        drop(two);
        assert!(crowd.0.lock().unwrap().is_empty());
        assert!((0..9).all(|_| crowd.join("10.0.0.1:1".parse().unwrap(), 0).is_some()));
    }
}

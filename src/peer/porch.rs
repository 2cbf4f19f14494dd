//! Strangers in the middle of a TLS handshake: bounded in number, and one address cannot take all the places.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

/// Handshakes at a time; ours: ten remotes and a hundred applications that all come back at once.
pub(super) const STANDING_MAX: usize = 256;
/// Handshakes at a time from one address; ours: applications of one machine, or a few sites behind one router.
pub(super) const STANDING_EACH_MAX: usize = 32;

/// Who stands there.
#[derive(Clone, Default)]
pub(super) struct Porch(Rc<RefCell<BTreeMap<IpAddr, usize>>>);

/// A place on the porch; it is given back when dropped.
pub(super) struct Place {
    porch: Porch,
    from: IpAddr,
}

impl Porch {
    /// A place for somebody from there, if there is one.
    pub(super) fn step_on(&self, from: IpAddr) -> Option<Place> {
        let mut standing = self.0.borrow_mut();
        let all: usize = standing.values().sum();
        let own = standing.entry(from).or_default();
        if all >= STANDING_MAX || *own >= STANDING_EACH_MAX {
            return None;
        }
        *own += 1;
        Some(Place { porch: self.clone(), from })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut standing = self.porch.0.borrow_mut();
        if let Some(own) = standing.get_mut(&self.from) {
            *own = own.saturating_sub(1);
        }
        standing.retain(|_, own| *own > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_all_places_and_all_of_them_not_more_than_there_are() {
        let porch = Porch::default();
        let address = |n: usize| IpAddr::from([192, 0, 2, n as u8]);
        let mut places: Vec<Place> =
            (0..STANDING_EACH_MAX).filter_map(|_| porch.step_on(address(1))).collect();
        assert_eq!(places.len(), STANDING_EACH_MAX);
        assert!(porch.step_on(address(1)).is_none());
        places.extend((2..=STANDING_MAX).filter_map(|n| porch.step_on(address(n))));
        assert_eq!(places.len(), STANDING_MAX, "the rest of the places, for others");
        assert!(porch.step_on(address(0)).is_none());
        places.truncate(1);
        assert_eq!(porch.0.borrow().len(), 1, "who has left is forgotten");
        assert!(porch.step_on(address(1)).is_some());
    }
}

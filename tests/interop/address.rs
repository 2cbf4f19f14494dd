//! Loopback addresses nobody else uses.
//!
//! Every peer gets an address of its own in 127/8 and stands at the port it has in real life. So no test has to guess a
//! free port, a restarted peer finds its port again, and two runs on one machine do not meet.

use std::net::{Ipv4Addr, SocketAddr};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// SIP over UDP (RFC 3261 19.1.2).
const SIP: u16 = 5060;
/// How many peers one run of the tests can have: the last ten bits of an address; the fourteen before them are the
/// process id's.
const PEERS_MAX: u32 = 1 << 10;

/// A loopback address for one more peer.
pub(crate) fn fresh() -> Ipv4Addr {
    // 127.0.0.1 is left to others.
    static NEXT: AtomicU32 = AtomicU32::new(2);
    let peer = NEXT.fetch_add(1, Ordering::Relaxed);
    assert!(peer < PEERS_MAX - 1, "more peers than one test run has addresses for");
    let [_, high, middle, low] = (process::id().wrapping_mul(PEERS_MAX) | peer).to_be_bytes();
    Ipv4Addr::new(127, high, middle, low)
}

/// [`fresh`] with the SIP port.
pub(crate) fn sip() -> SocketAddr {
    (fresh(), SIP).into()
}

//! Loopback addresses nobody else uses.
//!
//! Every peer gets an address of its own in 127/8 and stands at the port it has in real life. So no test has to guess a
//! free port, a restarted peer finds its port again, and two runs on one machine do not meet.

use std::net::{Ipv4Addr, SocketAddr};
use std::process;
use std::sync::atomic::{AtomicU8, Ordering};

/// SIP over UDP (RFC 3261 19.1.2).
const SIP: u16 = 5060;

/// A loopback address for one more peer: two bytes from the process id, one counted; 127.0.0.x is left to others.
pub(crate) fn fresh() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(2);
    let [_, _, high, low] = process::id().to_be_bytes();
    let last = NEXT.fetch_add(1, Ordering::Relaxed);
    assert!((2..255).contains(&last), "more peers than one test run has addresses for");
    Ipv4Addr::new(127, high.max(1), low, last)
}

/// [`fresh`] with the SIP port.
pub(crate) fn sip() -> SocketAddr {
    (fresh(), SIP).into()
}

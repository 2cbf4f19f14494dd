//! The wire between two sites: a TCP relay that a test can cut and heal.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::{address, poll};

/// How soon a relay notices that the wire has changed.
const TICK: Duration = Duration::from_millis(20);

/// What a wire is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Wire {
    /// Everything goes through.
    Whole = 0,
    /// Nothing goes through, and nobody is told: a cable that was pulled far away. When it is whole again, what was
    /// sent meanwhile arrives, as TCP's retransmissions do.
    Silent = 1,
    /// Connections end and new ones are closed at once: a router that says no.
    Refusing = 2,
    /// The relay itself is gone.
    Gone = 3,
}

impl Wire {
    fn of(state: &AtomicU8) -> Wire {
        match state.load(Ordering::Relaxed) {
            0 => Wire::Whole,
            1 => Wire::Silent,
            2 => Wire::Refusing,
            _ => Wire::Gone,
        }
    }
}

/// A wire from `at` to somebody else.
pub(crate) struct Relay {
    at: SocketAddr,
    state: Arc<AtomicU8>,
    acceptor: Option<JoinHandle<()>>,
}

impl Relay {
    /// Lays a wire that ends at `to`; whoever connects to [`Relay::at`] is connected there.
    pub(crate) fn lay(to: SocketAddr) -> Relay {
        let listener =
            TcpListener::bind((address::fresh(), to.port())).unwrap_or_else(|e| panic!("a relay: {e}"));
        let at = listener.local_addr().unwrap_or_else(|e| panic!("a relay: {e}"));
        listener.set_nonblocking(true).unwrap_or_else(|e| panic!("a relay: {e}"));
        let state = Arc::new(AtomicU8::new(Wire::Whole as u8));
        let theirs = Arc::clone(&state);
        let acceptor = thread::spawn(move || accept(&listener, to, &theirs));
        Relay { at, state, acceptor: Some(acceptor) }
    }

    /// This end of the wire.
    pub(crate) fn at(&self) -> SocketAddr {
        self.at
    }

    /// Cuts or heals it.
    pub(crate) fn turn(&self, wire: Wire) {
        self.state.store(wire as u8, Ordering::Relaxed);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.turn(Wire::Gone);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn accept(listener: &TcpListener, to: SocketAddr, state: &Arc<AtomicU8>) {
    loop {
        match Wire::of(state) {
            Wire::Gone => return,
            // Whoever calls now hears nothing until the wire is whole.
            Wire::Silent => poll::rest(TICK),
            Wire::Whole | Wire::Refusing => match listener.accept() {
                Ok((near, _)) => connect(near, to, state),
                Err(_) => poll::rest(TICK),
            },
        }
    }
}

/// Connects `near` with `to`; closes it if nobody is there or the wire refuses.
fn connect(near: TcpStream, to: SocketAddr, state: &Arc<AtomicU8>) {
    if Wire::of(state) != Wire::Whole || near.set_nonblocking(false).is_err() {
        return;
    }
    let Ok(far) = TcpStream::connect(to) else { return };
    let (Ok(near_end), Ok(far_end)) = (near.try_clone(), far.try_clone()) else { return };
    for (from, into) in [(near, far_end), (far, near_end)] {
        let state = Arc::clone(state);
        thread::spawn(move || pump(from, into, &state));
    }
}

fn pump(mut from: TcpStream, mut into: TcpStream, state: &AtomicU8) {
    let mut bytes = [0; 16 * 1024];
    let _ = from.set_read_timeout(Some(TICK));
    loop {
        match Wire::of(state) {
            Wire::Gone | Wire::Refusing => break,
            Wire::Silent => poll::rest(TICK),
            Wire::Whole => match from.read(&mut bytes) {
                Ok(0) => break,
                Ok(read) => {
                    while Wire::of(state) == Wire::Silent {
                        poll::rest(TICK);
                    }
                    if into.write_all(&bytes[..read]).is_err() {
                        break;
                    }
                }
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => break,
            },
        }
    }
    let _ = (from.shutdown(Shutdown::Both), into.shutdown(Shutdown::Both));
}

#[test]
fn a_wire_is_cut_and_heals() {
    let soon = Duration::from_secs(5);
    let server = TcpListener::bind((address::fresh(), 4000)).unwrap();
    let relay = Relay::lay(server.local_addr().unwrap());
    let mut near = TcpStream::connect(relay.at()).unwrap();
    let (mut far, _) = server.accept().unwrap();
    let mut byte = [0];
    let mut hears = |far: &mut TcpStream, within| {
        far.set_read_timeout(Some(within)).unwrap();
        far.read(&mut byte).map(|read| (read, byte[0])).ok()
    };
    near.write_all(b"a").unwrap();
    assert_eq!(hears(&mut far, soon), Some((1, b'a')));
    relay.turn(Wire::Silent);
    near.write_all(b"b").unwrap();
    assert_eq!(hears(&mut far, TICK * 5), None);
    relay.turn(Wire::Whole);
    assert_eq!(hears(&mut far, soon), Some((1, b'b')), "what was sent meanwhile arrives");
    relay.turn(Wire::Refusing);
    assert_eq!(hears(&mut far, soon), Some((0, b'b')), "the connection ends");
    let mut refused = TcpStream::connect(relay.at()).unwrap();
    assert_eq!(hears(&mut refused, soon), Some((0, b'b')));
    relay.turn(Wire::Whole);
    let mut again = TcpStream::connect(relay.at()).unwrap();
    let (mut far, _) = server.accept().unwrap();
    again.write_all(b"c").unwrap();
    assert_eq!(hears(&mut far, soon), Some((1, b'c')));
}

//! The wire between a remote and its central: a TCP relay that counts what it carries, may be slow, and can be cut.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::{PATIENCE, address, poll};

/// No byte for so long, and a synchronisation is believed to be over.
const QUIET: Duration = Duration::from_millis(500);
/// A TLS record's header: type, version, length (RFC 8446 5.1).
const HEADER: usize = 5;
/// The type of a record whose content is secret (RFC 8446 5.1).
const SECRET: u8 = 23;

/// What one connection has carried.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Bytes to the remote.
    pub(crate) down: u64,
    /// Bytes to the central.
    pub(crate) up: u64,
    /// Bytes to the remote after the TLS handshake.
    pub(crate) said_down: u64,
    /// Bytes to the central after the TLS handshake.
    pub(crate) said_up: u64,
    /// Flights of the remote that were followed by one of the central, after the TLS handshake.
    pub(crate) round_trips: u32,
    /// From the connection to the last byte.
    pub(crate) time: Duration,
    /// When the last byte went.
    pub(crate) last: Option<Instant>,
}

impl Tally {
    /// All bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.down + self.up
    }

    /// All bytes after the TLS handshake.
    pub(crate) fn said(&self) -> u64 {
        self.said_down + self.said_up
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Down,
    Up,
}

/// The latest connection.
struct Book {
    tally: Tally,
    began: Instant,
    /// The handshake is over with the remote's first secret record, its Finished (RFC 8446 4.4.4); the central sends
    /// nothing before that but its own part of the handshake, and no tickets after it.
    greeted: bool,
    last: Option<Way>,
}

impl Book {
    fn new() -> Book {
        Book { tally: Tally::default(), began: Instant::now(), greeted: false, last: None }
    }

    /// `bytes` went this way, the last `said` of them after the handshake.
    fn note(&mut self, way: Way, bytes: usize, said: usize) {
        let tally = &mut self.tally;
        match way {
            Way::Down => {
                (tally.down, tally.said_down) = (tally.down + bytes as u64, tally.said_down + said as u64)
            }
            Way::Up => (tally.up, tally.said_up) = (tally.up + bytes as u64, tally.said_up + said as u64),
        }
        let now = Instant::now();
        (tally.time, tally.last) = (now - self.began, Some(now));
        if said > 0 {
            tally.round_trips += u32::from(self.last == Some(Way::Up) && way == Way::Down);
            self.last = Some(way);
        }
    }
}

struct Shared {
    to: SocketAddr,
    /// Bits a second each way.
    rate: Option<u64>,
    /// How long a byte is on its way, each way.
    delay: Mutex<Duration>,
    cut: AtomicBool,
    book: Mutex<Book>,
    ends: Mutex<Vec<TcpStream>>,
}

/// A wire; it is there until the bench ends.
pub(crate) struct Wire {
    at: SocketAddr,
    shared: Arc<Shared>,
}

impl Wire {
    /// Lays a wire that ends at `to` and carries so many bits a second each way.
    pub(crate) fn lay(to: SocketAddr, rate: Option<u64>) -> Wire {
        let listener = TcpListener::bind((address::fresh(), to.port())).expect("a relay");
        let at = listener.local_addr().expect("a relay");
        let (book, ends) = (Mutex::new(Book::new()), Mutex::default());
        let delay = Mutex::new(Duration::ZERO);
        let shared = Arc::new(Shared { to, rate, delay, cut: AtomicBool::new(false), book, ends });
        let theirs = Arc::clone(&shared);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                connect(near, &theirs);
            }
        });
        Wire { at, shared }
    }

    /// This end of it.
    pub(crate) fn at(&self) -> SocketAddr {
        self.at
    }

    /// From the next connection on everything is on its way for so long, each way. Without that two flights pass each other
    /// by chance, and the round trips that are counted are not those that anybody has to wait for.
    pub(crate) fn lengthen(&self, delay: Duration) {
        *locked(&self.shared.delay) = delay;
    }

    /// Ends its connections and lets no other through.
    pub(crate) fn cut(&self) {
        self.shared.cut.store(true, Ordering::SeqCst);
        for end in locked(&self.shared.ends).drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// Ends [`Wire::cut`].
    pub(crate) fn heal(&self) {
        self.shared.cut.store(false, Ordering::SeqCst);
    }

    /// Waits until nothing has been said for a while: what the latest connection carried.
    pub(crate) fn quiet(&self) -> Tally {
        let started = Instant::now();
        loop {
            let (tally, age) = {
                let book = locked(&self.shared.book);
                (book.tally, book.began.elapsed())
            };
            if age.saturating_sub(tally.time) >= QUIET {
                return tally;
            }
            assert!(started.elapsed() < PATIENCE, "the wire does not become quiet");
            poll::rest(QUIET / 10);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(near: TcpStream, shared: &Arc<Shared>) {
    if shared.cut.load(Ordering::SeqCst) {
        return;
    }
    let Ok(far) = TcpStream::connect(shared.to) else { return };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ends = [&near, &far, &near, &far].map(|end| end.try_clone().expect("a relay"));
    let [near_too, far_too, kept_near, kept_far] = ends;
    *locked(&shared.book) = Book::new();
    locked(&shared.ends).extend([kept_near, kept_far]);
    for (way, from, into) in [(Way::Up, near, far_too), (Way::Down, far, near_too)] {
        let shared = Arc::clone(shared);
        thread::spawn(move || pump(way, from, into, &shared));
    }
}

/// What is on its way, and when it arrives.
type Under = (Instant, Vec<u8>);

/// Delivers what is on its way.
fn deliver(under: &mpsc::Receiver<Under>, mut into: TcpStream) {
    while let Ok((due, bytes)) = under.recv() {
        poll::rest(due.saturating_duration_since(Instant::now()));
        if into.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = into.shutdown(Shutdown::Both);
}

fn pump(way: Way, mut from: TcpStream, into: TcpStream, shared: &Shared) {
    let delay = *locked(&shared.delay);
    let (begun, under) = mpsc::channel();
    let end = into.try_clone().expect("a relay");
    thread::spawn(move || deliver(&under, into));
    // A slow wire carries packets of an Ethernet's size.
    let mut bytes = vec![0; if shared.rate.is_some() { 1_460 } else { 64 * 1024 }];
    let (mut records, mut free) = (Records::default(), Instant::now());
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        let some = &bytes[..read];
        if let Some(rate) = shared.rate {
            free = free.max(Instant::now()) + Duration::from_secs_f64(some.len() as f64 * 8.0 / rate as f64);
            poll::rest(free.saturating_duration_since(Instant::now()));
        }
        {
            let mut book = locked(&shared.book);
            let said = match (book.greeted, way) {
                (true, Way::Up | Way::Down) => read,
                (false, Way::Down) => 0,
                (false, Way::Up) => {
                    let end = records.end_of_first_secret(some);
                    book.greeted = end.is_some();
                    end.map_or(0, |end| read - end)
                }
            };
            book.note(way, read, said);
        }
        if begun.send((Instant::now() + delay, some.to_vec())).is_err() {
            break;
        }
    }
    // Nobody waits for what is still on its way over a wire that is cut.
    let _ = (from.shutdown(Shutdown::Both), end.shutdown(Shutdown::Both));
}

/// Finds the records of a TLS stream.
#[derive(Default)]
struct Records {
    header: Vec<u8>,
    /// Bytes of the record that are still to come.
    rest: usize,
    is_secret: bool,
}

impl Records {
    /// Where in `bytes` the first secret record of the stream ends; they are what follows the bytes of the call before.
    fn end_of_first_secret(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.rest == 0 {
                self.header.push(bytes[at]);
                at += 1;
                if let [kind, _, _, high, low] = self.header[..] {
                    self.is_secret = kind == SECRET;
                    self.rest = usize::from(u16::from_be_bytes([high, low]));
                    self.header = Vec::with_capacity(HEADER);
                }
            } else {
                let some = self.rest.min(bytes.len() - at);
                (self.rest, at) = (self.rest - some, at + some);
                if self.rest == 0 && self.is_secret {
                    return Some(at);
                }
            }
        }
        None
    }
}

//! STUN as far as keep-alives need it (RFC 5389): a binding request and its success response, without attributes that
//! prove anything. Nothing here is trusted: an answer counts only when its transaction id is ours.
//!
//! Own work because the crates that speak STUN bring an ICE or TURN agent, or an own codec framework, for these 32 bytes.

use std::net::{IpAddr, SocketAddr};

use bytes::{BufMut, Bytes, BytesMut};

const COOKIE: u32 = 0x2112_a442;
const REQUEST: u16 = 0x0001;
const SUCCESS: u16 = 0x0101;
const XOR_MAPPED: u16 = 0x0020;
const HEADER: usize = 20;

/// What a client makes up for each request.
pub type Id = [u8; 12];

/// A STUN message that means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stun {
    /// A binding request.
    Request(Id),
    /// The answer to one: alive.
    Success(Id),
}

/// Whether a datagram is STUN rather than SIP: its first two bits are zero and the cookie is in its place
/// (RFC 5389 6, RFC 5626 8). No SIP message begins so.
pub fn is_stun(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| *first < 4) && bytes.get(4..8) == Some(&COOKIE.to_be_bytes())
}

/// Reads a message; none for everything that means nothing here.
pub fn read(bytes: &[u8]) -> Option<Stun> {
    if !is_stun(bytes) {
        return None;
    }
    let word = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    let id: Id = bytes.get(8..HEADER)?.try_into().ok()?;
    if usize::from(word(2)?) != bytes.len() - HEADER {
        return None;
    }
    match word(0)? {
        REQUEST => Some(Stun::Request(id)),
        SUCCESS => Some(Stun::Success(id)),
        _ => None,
    }
}

/// A binding request.
pub fn request(id: Id) -> Bytes {
    header(REQUEST, 0, id).freeze()
}

/// The answer to a binding request that came from `from` (RFC 5389 15.2).
pub fn success(id: Id, from: SocketAddr) -> Bytes {
    let cookie = COOKIE.to_be_bytes();
    let port = from.port() ^ u16::from_be_bytes([cookie[0], cookie[1]]);
    let mask = cookie.into_iter().chain(id);
    let (family, octets): (u16, Vec<u8>) = match from.ip() {
        IpAddr::V4(ip) => (1, ip.octets().into_iter().zip(mask).map(|(octet, mask)| octet ^ mask).collect()),
        IpAddr::V6(ip) => (2, ip.octets().into_iter().zip(mask).map(|(octet, mask)| octet ^ mask).collect()),
    };
    let value = 4 + octets.len() as u16;
    let mut bytes = header(SUCCESS, 4 + value, id);
    bytes.put_u16(XOR_MAPPED);
    bytes.put_u16(value);
    bytes.put_u16(family);
    bytes.put_u16(port);
    bytes.put_slice(&octets);
    bytes.freeze()
}

fn header(kind: u16, length: u16, id: Id) -> BytesMut {
    let mut bytes = BytesMut::with_capacity(HEADER + usize::from(length));
    bytes.put_u16(kind);
    bytes.put_u16(length);
    bytes.put_u32(COOKIE);
    bytes.put_slice(&id);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_answers_are_read_back() {
        let id = *b"abcdefghijkl";
        assert_eq!(read(&request(id)), Some(Stun::Request(id)));
        for from in ["192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"] {
            assert_eq!(read(&success(id, from.parse().expect("an address"))), Some(Stun::Success(id)));
        }
    }

    /// The addresses of the sample responses of RFC 5769 2.2 and 2.3.
    #[test]
    fn the_address_is_masked_as_the_samples_are() {
        let id = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];
        let v4 = success(id, "192.0.2.1:32853".parse().expect("an address"));
        assert_eq!(v4[24..], [0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
        let v6 = success(id, "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().expect("an address"));
        let masked =
            [0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9];
        assert_eq!(v6[24..28], [0x00, 0x02, 0xa1, 0x47]);
        assert_eq!(v6[28..], masked);
    }

    #[test]
    fn what_is_no_stun_is_left_alone() {
        let whole = request([7; 12]);
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), None, "{end}");
        }
        assert!(!is_stun(b"REGISTER sip:example.com SIP/2.0\r\n"));
        assert_eq!(read(&[&whole[..], b"x"].concat()), None);
        assert!(!is_stun(&[0; 32]));
    }
}

//! The messages themselves; `README.md` beside this file says where they come from.
#![allow(dead_code, reason = "each test file uses its part")]

use bytes::Bytes;
use sip::message::Message;

/// A message by its name in the RFC.
pub(crate) type Case = (&'static str, &'static [u8]);

/// The archive of RFC 4475.
pub(crate) const RFC_4475: &[Case] = &[
    ("badaspec", include_bytes!("rfc4475/badaspec.dat")),
    ("badbranch", include_bytes!("rfc4475/badbranch.dat")),
    ("baddate", include_bytes!("rfc4475/baddate.dat")),
    ("baddn", include_bytes!("rfc4475/baddn.dat")),
    ("badinv01", include_bytes!("rfc4475/badinv01.dat")),
    ("badvers", include_bytes!("rfc4475/badvers.dat")),
    ("bcast", include_bytes!("rfc4475/bcast.dat")),
    ("bext01", include_bytes!("rfc4475/bext01.dat")),
    ("bigcode", include_bytes!("rfc4475/bigcode.dat")),
    ("clerr", include_bytes!("rfc4475/clerr.dat")),
    ("cparam01", include_bytes!("rfc4475/cparam01.dat")),
    ("cparam02", include_bytes!("rfc4475/cparam02.dat")),
    ("dblreq", include_bytes!("rfc4475/dblreq.dat")),
    ("esc01", include_bytes!("rfc4475/esc01.dat")),
    ("esc02", include_bytes!("rfc4475/esc02.dat")),
    ("escnull", include_bytes!("rfc4475/escnull.dat")),
    ("escruri", include_bytes!("rfc4475/escruri.dat")),
    ("insuf", include_bytes!("rfc4475/insuf.dat")),
    ("intmeth", include_bytes!("rfc4475/intmeth.dat")),
    ("inv2543", include_bytes!("rfc4475/inv2543.dat")),
    ("invut", include_bytes!("rfc4475/invut.dat")),
    ("longreq", include_bytes!("rfc4475/longreq.dat")),
    ("ltgtruri", include_bytes!("rfc4475/ltgtruri.dat")),
    ("lwsdisp", include_bytes!("rfc4475/lwsdisp.dat")),
    ("lwsruri", include_bytes!("rfc4475/lwsruri.dat")),
    ("lwsstart", include_bytes!("rfc4475/lwsstart.dat")),
    ("mcl01", include_bytes!("rfc4475/mcl01.dat")),
    ("mismatch01", include_bytes!("rfc4475/mismatch01.dat")),
    ("mismatch02", include_bytes!("rfc4475/mismatch02.dat")),
    ("mpart01", include_bytes!("rfc4475/mpart01.dat")),
    ("multi01", include_bytes!("rfc4475/multi01.dat")),
    ("ncl", include_bytes!("rfc4475/ncl.dat")),
    ("noreason", include_bytes!("rfc4475/noreason.dat")),
    ("novelsc", include_bytes!("rfc4475/novelsc.dat")),
    ("quotbal", include_bytes!("rfc4475/quotbal.dat")),
    ("regaut01", include_bytes!("rfc4475/regaut01.dat")),
    ("regbadct", include_bytes!("rfc4475/regbadct.dat")),
    ("regescrt", include_bytes!("rfc4475/regescrt.dat")),
    ("scalar02", include_bytes!("rfc4475/scalar02.dat")),
    ("scalarlg", include_bytes!("rfc4475/scalarlg.dat")),
    ("sdp01", include_bytes!("rfc4475/sdp01.dat")),
    ("semiuri", include_bytes!("rfc4475/semiuri.dat")),
    ("test", include_bytes!("rfc4475/test.dat")),
    ("transports", include_bytes!("rfc4475/transports.dat")),
    ("trws", include_bytes!("rfc4475/trws.dat")),
    ("unkscm", include_bytes!("rfc4475/unkscm.dat")),
    ("unksm2", include_bytes!("rfc4475/unksm2.dat")),
    ("unreason", include_bytes!("rfc4475/unreason.dat")),
    ("wsinv", include_bytes!("rfc4475/wsinv.dat")),
    ("zeromf", include_bytes!("rfc4475/zeromf.dat")),
];

/// The archive of RFC 5118.
pub(crate) const RFC_5118: &[Case] = &[
    ("ipv4-mapped-ipv6", include_bytes!("rfc5118/ipv4-mapped-ipv6.dat")),
    ("ipv6-bad", include_bytes!("rfc5118/ipv6-bad.dat")),
    ("ipv6-bug-abnf-3-colons", include_bytes!("rfc5118/ipv6-bug-abnf-3-colons.dat")),
    ("ipv6-correct-abnf-2-colons", include_bytes!("rfc5118/ipv6-correct-abnf-2-colons.dat")),
    ("ipv6-good", include_bytes!("rfc5118/ipv6-good.dat")),
    ("ipv6-in-sdp", include_bytes!("rfc5118/ipv6-in-sdp.dat")),
    ("mult-ip-in-header", include_bytes!("rfc5118/mult-ip-in-header.dat")),
    ("mult-ip-in-sdp", include_bytes!("rfc5118/mult-ip-in-sdp.dat")),
    ("port-ambiguous", include_bytes!("rfc5118/port-ambiguous.dat")),
    ("port-unambiguous", include_bytes!("rfc5118/port-unambiguous.dat")),
    ("via-received-param-no-delim", include_bytes!("rfc5118/via-received-param-no-delim.dat")),
    ("via-received-param-with-delim", include_bytes!("rfc5118/via-received-param-with-delim.dat")),
];

/// The message of that name.
pub(crate) fn message(name: &str) -> Message {
    let (_, bytes) =
        RFC_4475.iter().chain(RFC_5118).find(|case| case.0 == name).expect("a message of that name");
    Message::parse(Bytes::from_static(bytes)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

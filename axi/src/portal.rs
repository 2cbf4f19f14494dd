//! What a management portal shows of what stands in the site's file: PARK, SIP servers, shaping, the sync link (axi 4.4, 4.5).
//!
//! ```text
//! C: <GetBackupSIP seq="4"/>
//! S: <GetBackupSIPResp seq="4" failoverActive="1" secondaryProxyServer="pbx-2.example" secondaryProxyPort="0" ../>
//! C: <SetBackupSIP seq="5" secondaryProxyServer="pbx-3.example"/>
//! S: <SetBackupSIPResp seq="5" errCode="EForbidden" info="this stands in the site's file .." bad="secondaryProxyServer"/>
//! ```
//!
//! The file is the owner of all this. Whoever sets what is so already is answered like whoever sets anything; whoever sets
//! anything else is refused, and told by whom it is decided. Ours: a second owner would be overruled at the next start.
//!
//! What cannot be told truly is left out: how long a server may be silent, because the vendor's unit is not known and ours
//! is no matter of minutes; a renewal timer, because refreshes are spread over a window here.

use omm::ids::Number;
use omm::ids::park::{Park, Sari};

use crate::error::{ErrCode, Refused};
use crate::reply::Reply;

/// AXI over TLS (axi 1): the port of a central when none is told.
const PORT: &str = ":12622";

/// What stands in the site's file, as far as portals ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteFile {
    /// The identity of the OMM.
    pub park: Park,
    /// The SIP servers in their order: at most three.
    pub servers: Vec<Server>,
    /// What REGISTERs ask for, in seconds.
    pub period: u64,
    /// Public addresses of devices are asked for (RFC 5627).
    pub gruu: bool,
    /// How REGISTERs to each server are shaped.
    pub shaping: Shaping,
}

/// A SIP server of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// What serves.
    pub proxy: Place,
    /// Who is asked to register, when that is another one.
    pub registrar: Option<Place>,
    /// What stands before it.
    pub outbound: Option<Place>,
    /// How it is reached.
    pub transport: Transport,
}

/// A host and its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name or address.
    pub host: String,
    /// The port; 0 where the DNS or the transport decides (axi 9.2).
    pub port: u16,
}

/// How a server is reached (axi 4.5 `transportProt`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Over UDP.
    Udp,
    /// Over TCP.
    Tcp,
    /// As the DNS or the length of a message wants it.
    Any,
    /// Over TLS; connections are kept.
    Tls,
}

impl Transport {
    fn word(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Any => "UDPAndTCP",
            Transport::Tls => "PersistentTLS",
        }
    }
}

/// How REGISTERs to one server are shaped (axi 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shaping {
    /// The most at a time.
    pub most: u32,
    /// From start to start, in milliseconds; 0 where answers give the time.
    pub spacing: u64,
}

/// What is told under a server's name: the proxy, the registrar, the outbound proxy, each with its port.
type Names = [&'static str; 6];

const PRIMARY: Names =
    ["proxyServer", "proxyPort", "regServer", "regPort", "outboundProxyServer", "outboundProxyPort"];
const SECONDARY: Names = [
    "secondaryProxyServer",
    "secondaryProxyPort",
    "secondaryRegServer",
    "secondaryRegPort",
    "secondaryOutboundProxyServer",
    "secondaryOutboundProxyPort",
];
const TERTIARY: Names = [
    "tertiaryProxyServer",
    "tertiaryProxyPort",
    "tertiaryRegServer",
    "tertiaryRegPort",
    "tertiaryOutboundProxyServer",
    "tertiaryOutboundProxyPort",
];

impl SiteFile {
    /// Whether the first SARI of a central may be this one.
    ///
    /// # Errors
    /// It is not that of its PARK (M-2.2.11-f).
    pub fn first_sari(&self, wanted: Sari) -> Result<(), Refused> {
        let own = Sari::derive(self.park);
        if own == wanted {
            return Ok(());
        }
        let info = format!("the SARI of a system is that of its central's PARK, {own} (M-2.2.11-f)");
        Err(Refused { bad: Some("sari".to_owned()), info: Some(info), ..Refused::new(ErrCode::Inval) })
    }

    /// `GetPARKResp`.
    pub fn park(&self) -> Reply {
        Reply::of([("park", self.park.to_string())])
    }

    /// `GetBasicSIPResp`: the first server, and what is asked of all. `check` is the number of the user by whom a standby pair
    /// looks whether the SIP servers answer.
    pub fn basic(&self, check: Option<&Number>) -> Reply {
        let mut told = Vec::new();
        if let Some(server) = self.servers.first() {
            told.push(("transportProt", server.transport.word().to_owned()));
            told.extend(server.told(PRIMARY));
        }
        told.push(("regPeriod", self.period.to_string()));
        told.push(("gruu", flag(self.gruu)));
        told.extend(check.map(|number| ("sipRegisterCheckNum", number.to_string())));
        Reply::of(told)
    }

    /// `GetBackupSIPResp`: the other servers.
    pub fn backup(&self) -> Reply {
        let spare = || self.servers.iter().skip(1);
        let mut told = vec![("failoverActive", flag(spare().next().is_some()))];
        told.extend(spare().zip([SECONDARY, TERTIARY]).flat_map(|(server, names)| server.told(names)));
        Reply::of(told)
    }

    /// `GetRegistrationTrafficShapingResp`.
    pub fn shaping(&self) -> Reply {
        let Shaping { most, spacing } = self.shaping;
        let spread = ("spreadRegRenew", flag(true));
        Reply::of([("maxRegistrations", most.to_string()), ("timeout", spacing.to_string()), spread])
    }
}

impl Server {
    fn told(&self, names: Names) -> Vec<(&'static str, String)> {
        let [proxy, proxy_port, registrar, registrar_port, outbound, outbound_port] = names;
        let mut told = Vec::new();
        let places = [
            (proxy, proxy_port, Some(&self.proxy)),
            (registrar, registrar_port, Some(self.registrar.as_ref().unwrap_or(&self.proxy))),
            (outbound, outbound_port, self.outbound.as_ref()),
        ];
        for (name, port, place) in places {
            if let Some(place) = place {
                told.extend([(name, place.host.clone()), (port, place.port.to_string())]);
            }
        }
        told
    }
}

/// The sync link (axi 4.5 `UserDeviceSyncOMM`, M-2.3.1.2-b): whether the OMM goes to its central, where that is, and as whom. The
/// password is not told. A central has none.
pub fn sync_link(enabled: bool, addresses: &[impl AsRef<str>], user: Option<&str>) -> Reply {
    let place = |at: usize| addresses.get(at).map(|place| usual(place.as_ref()).to_owned());
    let all = [
        ("enable", Some(flag(enabled))),
        ("omm1DomainName", place(0)),
        ("omm2DomainName", place(1)),
        ("user", user.map(str::to_owned)),
    ];
    Reply::of(all.into_iter().filter_map(|(name, value)| Some((name, value?))))
}

/// A place without the port that goes without saying.
fn usual(place: &str) -> &str {
    place.strip_suffix(PORT).unwrap_or(place)
}

/// Whether all that somebody wants is so already.
///
/// # Errors
/// `EForbidden` that names the first value that is not, and says who decides it.
pub fn agree(found: &Reply, wanted: &[(String, String)], owner: &str) -> Result<(), Refused> {
    for (name, value) in wanted {
        let is = found.attributes.iter().find(|(known, _)| known == name).map_or("", |(_, is)| is.as_str());
        let same = match value.as_str() {
            "true" | "True" => is == "1" || is == "true",
            "false" | "False" => is == "0" || is == "false",
            value => is == usual(value),
        };
        if !same {
            let (bad, info) = (Some(name.clone()), Some(owner.to_owned()));
            return Err(Refused { bad, info, ..Refused::new(ErrCode::Forbidden) });
        }
    }
    Ok(())
}

fn flag(set: bool) -> String {
    if set { "1" } else { "0" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(host: &str, port: u16) -> Place {
        Place { host: host.to_owned(), port }
    }

    fn file() -> SiteFile {
        let first = Server {
            proxy: place("pbx.example", 0),
            registrar: None,
            outbound: Some(place("sbc.example", 5070)),
            transport: Transport::Any,
        };
        let second = Server {
            proxy: place("192.0.2.9", 5060),
            registrar: Some(place("reg.example", 0)),
            outbound: None,
            transport: Transport::Udp,
        };
        SiteFile {
            park: "1F102F0E86".parse().unwrap(),
            servers: vec![first, second],
            period: 3600,
            gruu: false,
            shaping: Shaping { most: 4, spacing: 40 },
        }
    }

    fn told(reply: &Reply) -> String {
        let mut element = crate::element::Element::new("x");
        reply.write(&mut element);
        element.to_string()
    }

    #[test]
    fn a_portal_is_shown_what_stands_in_the_file() {
        assert_eq!(told(&file().park()), "<x park=\"1F102F0E86\"/>");
        assert_eq!(
            told(&file().basic(Some(&Number::new("101").unwrap()))),
            "<x transportProt=\"UDPAndTCP\" proxyServer=\"pbx.example\" proxyPort=\"0\" regServer=\"pbx.example\" \
             regPort=\"0\" outboundProxyServer=\"sbc.example\" outboundProxyPort=\"5070\" regPeriod=\"3600\" gruu=\"0\" \
             sipRegisterCheckNum=\"101\"/>"
        );
        assert_eq!(
            told(&file().backup()),
            "<x failoverActive=\"1\" secondaryProxyServer=\"192.0.2.9\" secondaryProxyPort=\"5060\" \
             secondaryRegServer=\"reg.example\" secondaryRegPort=\"0\"/>"
        );
        let shaping = "<x maxRegistrations=\"4\" timeout=\"40\" spreadRegRenew=\"1\"/>";
        assert_eq!(told(&file().shaping()), shaping);
        let alone = SiteFile { servers: file().servers.into_iter().take(1).collect(), ..file() };
        assert_eq!(alone.backup().attributes, [("failoverActive", "0".to_owned())]);
    }

    #[test]
    fn whoever_sets_what_is_so_is_answered_and_anything_else_is_named() {
        let link = sync_link(true, &["central.example:12622", "192.0.2.8:12621"], Some("sync"));
        let agree = |wanted: &[(&str, &str)]| {
            let wanted: Vec<_> =
                wanted.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            agree(&link, &wanted, "the file").map_err(|why| why.bad.unwrap_or_default())
        };
        assert_eq!(
            agree(&[("enable", "True"), ("omm1DomainName", "central.example"), ("user", "sync")]),
            Ok(())
        );
        assert_eq!(
            agree(&[("omm1DomainName", "central.example:12622"), ("omm2DomainName", "192.0.2.8:12621")]),
            Ok(())
        );
        assert_eq!(agree(&[("user", "sync"), ("omm2DomainName", "")]), Err("omm2DomainName".to_owned()));
        assert_eq!(agree(&[("colour", ""), ("enable", "0")]), Err("enable".to_owned()));
    }
}

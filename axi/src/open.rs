//! `Open` and `OpenResp`: who is there, and whether it may stay (axi 3).
//!
//! ```text
//! C: <Open seq="0" username="omm" password="omm"/>
//! S: <OpenResp seq="0" protocolVersion="45" ..><publicKey modulus="C021" exponent="010001"/></OpenResp>
//! S: <OpenResp seq="0" errCode="EAuth"/>
//! ```
//!
//! The password is plain text on the wire, as the vendor has it (the link is TLS), and nowhere else.

use machine::secret::Secret;
use omm::link::frame::{Facts, Purpose};
use omm::link::neighbour::Door;

use crate::element::Element;
use crate::error::{Complaint, Refused};
use crate::fields::Fields;
use crate::seq::Seq;
use crate::sibling;
use crate::words::{Kept, vocabulary};

/// The longest account name and password, in characters. Ours.
pub const LOGIN_MAX: u32 = 256;

/// A login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The cookie.
    pub seq: Option<Seq>,
    /// The protocol version that the client speaks; most clients leave it out.
    pub protocol_version: Option<u32>,
    /// The account.
    pub username: String,
    /// Its password.
    pub password: Secret,
    /// `UserDeviceSyncClient`: another OMM, or something that acts as one.
    pub sync_client: bool,
    /// `OMPClient`: a management portal.
    pub omp_client: bool,
    /// What an OMM of ours tells of itself.
    pub sibling: Option<Facts>,
    /// Where an OMM of ours can be called by others.
    pub door: Option<Door>,
    /// What an OMM of ours wants.
    pub purpose: Purpose,
}

/// The answer to a login.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct OpenResp {
    /// The cookie of the login.
    pub seq: Option<Seq>,
    /// Why the login failed; `None` for success.
    pub refused: Option<Refused>,
    /// The protocol version. Must be an integer: real clients hang on `9.1`.
    pub protocol_version: Option<u32>,
    /// `ommVersion`, `axiVersion`, `ommAxiSpecVersion`.
    pub versions: Versions,
    /// The state of the standby pair.
    pub standby: Option<Kept<Standby>>,
    /// `ommStbAddr`: the other member's address.
    pub standby_address: Option<String>,
    /// `ommPlatform`: `linux-pc` or `rfp`.
    pub platform: Option<String>,
    /// Seconds since the start.
    pub uptime: Option<u64>,
    /// `sari`, 10 hexadecimal digits.
    pub sari: Option<String>,
    /// The `haveXxx` attributes that are true, without `have`.
    pub capabilities: Vec<String>,
    /// For encrypted attributes. Two client families need it for success.
    pub public_key: Option<PublicKey>,
    /// What the account may do.
    pub permissions: Vec<Kept<Permission>>,
    /// What an OMM of ours tells of itself.
    pub sibling: Option<Facts>,
}

/// The versions that a server tells; empty when it does not.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Versions {
    /// `OpenMobility Manager SIP-DECT 7.1-CK14`.
    pub omm: String,
    /// `171101`.
    pub axi: String,
    /// `7.1.1`.
    pub spec: String,
}

/// An RSA key in upper-case hexadecimal digits, an even number of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// The modulus.
    pub modulus: String,
    /// The exponent, `010001` mostly.
    pub exponent: String,
}

vocabulary! {
    /// The state of a standby pair. An unknown word hangs a real client.
    Standby {
        /// In step.
        Ok = "OK",
        /// Not in step.
        NotSynchronized = "NotSynchronized",
        /// The members run on different platforms.
        DifferentOmmTypes = "DifferentOMMTypes",
        /// The members run different versions.
        DifferentOmmVersions = "DifferentOMMVersions",
        /// There is no second member.
        None = "None",
    }
}

vocabulary! {
    /// What an account may do.
    Permission {
        /// Write the configuration.
        AllCnfWrite = "AllCnfWrite",
        /// Read the configuration.
        AllCnfRead = "AllCnfRead",
        /// Send information messages.
        InfoMessaging = "InfoMessaging",
        /// Send messages.
        Messaging = "Messaging",
        /// Send alerts.
        Alerting = "Alerting",
        /// Locate on alerts.
        LocatingAlert = "LocatingAlert",
        /// Locate.
        Locating = "Locating",
        /// See states.
        Monitoring = "Monitoring",
        /// Manage conferences.
        Conferencing = "Conferencing",
        /// Use video.
        Video = "Video",
    }
}

impl Open {
    /// Reads a login.
    pub fn read(element: &Element<'_>) -> Result<Open, Complaint> {
        let fields = Fields::of(element);
        Ok(Open {
            seq: fields.seq()?,
            protocol_version: fields.maybe("protocolVersion")?,
            username: fields.short("username", LOGIN_MAX)?.to_owned(),
            password: Secret::new(fields.short("password", LOGIN_MAX)?),
            sync_client: fields.flag("UserDeviceSyncClient")?,
            omp_client: fields.flag("OMPClient")?,
            sibling: sibling::read(fields)?,
            door: sibling::read_door(fields)?,
            purpose: sibling::read_purpose(fields)?,
        })
    }

    /// The wire form.
    pub fn element(&self) -> Element<'_> {
        let mut element = begin("Open", self.seq.as_ref());
        if let Some(version) = self.protocol_version {
            element.set("protocolVersion", version.to_string());
        }
        element.set("username", self.username.as_str());
        element.set("password", self.password.reveal());
        if self.sync_client {
            element.set("UserDeviceSyncClient", "true");
        }
        if self.omp_client {
            element.set("OMPClient", "1");
        }
        if let Some(facts) = &self.sibling {
            sibling::write(facts, &mut element);
        }
        if let Some(door) = &self.door {
            sibling::write_door(door, &mut element);
        }
        sibling::write_purpose(self.purpose, &mut element);
        element
    }
}

impl OpenResp {
    /// Reads the answer to a login.
    pub fn read(element: &Element<'_>) -> Result<OpenResp, Complaint> {
        let fields = Fields::of(element);
        let text = |name| fields.text(name).map(str::to_owned);
        let refused = Refused::read(element);
        let key = element.child("publicKey").map(|child| {
            let fields = Fields::of(child);
            Ok(PublicKey { modulus: hex(fields, "modulus")?, exponent: hex(fields, "exponent")? })
        });
        let permissions = element.children().iter().filter(|child| child.name() == "permission");
        let capabilities = element.attributes().filter(|(_, value)| matches!(*value, "1" | "true"));
        Ok(OpenResp {
            seq: fields.seq()?,
            protocol_version: fields.maybe("protocolVersion")?,
            versions: Versions {
                omm: text("ommVersion").unwrap_or_default(),
                axi: text("axiVersion").unwrap_or_default(),
                spec: text("ommAxiSpecVersion").unwrap_or_default(),
            },
            standby: fields.word("ommStbState"),
            standby_address: text("ommStbAddr"),
            platform: text("ommPlatform"),
            uptime: fields.maybe("uptime")?,
            sari: text("sari"),
            capabilities: capabilities
                .filter_map(|(name, _)| name.strip_prefix("have").map(str::to_owned))
                .collect(),
            public_key: key.transpose()?,
            permissions: permissions.map(|child| Kept::read(child.text())).collect(),
            // A refusal need not introduce anybody.
            sibling: if refused.is_some() { None } else { sibling::read(fields)? },
            refused,
        })
    }

    /// The wire form. Words outside the vocabularies are left out, because a real client would hang on them.
    pub fn element(&self) -> Element<'_> {
        let mut element = begin("OpenResp", self.seq.as_ref());
        if let Some(version) = self.protocol_version {
            element.set("protocolVersion", version.to_string());
        }
        let Versions { omm, axi, spec } = &self.versions;
        for (name, value) in [("ommVersion", omm), ("axiVersion", axi), ("ommAxiSpecVersion", spec)] {
            if !value.is_empty() {
                element.set(name, value.as_str());
            }
        }
        if let Some(Kept::Known(standby)) = &self.standby {
            element.set("ommStbState", standby.as_str());
        }
        for (name, value) in [("ommStbAddr", &self.standby_address), ("ommPlatform", &self.platform)] {
            if let Some(value) = value {
                element.set(name, value.as_str());
            }
        }
        if let Some(uptime) = self.uptime {
            element.set("uptime", uptime.to_string());
        }
        if let Some(sari) = &self.sari {
            element.set("sari", sari.as_str());
        }
        for capability in &self.capabilities {
            element.set(format!("have{capability}"), "1");
        }
        if let Some(facts) = &self.sibling {
            sibling::write(facts, &mut element);
        }
        if let Some(refused) = &self.refused {
            refused.write(&mut element);
        }
        if let Some(key) = &self.public_key {
            let (modulus, exponent) = (key.modulus.as_str(), key.exponent.as_str());
            element.push(Element::new("publicKey").with("modulus", modulus).with("exponent", exponent));
        }
        for permission in &self.permissions {
            if let Kept::Known(permission) = permission {
                element.push(Element::new("permission").with_text(permission.as_str()));
            }
        }
        element
    }
}

/// A message with its cookie, if there is one.
pub(crate) fn begin<'a>(name: &'static str, seq: Option<&'a Seq>) -> Element<'a> {
    let element = Element::new(name);
    match seq {
        Some(seq) => element.with("seq", seq.as_str()),
        None => element,
    }
}

fn hex(fields: Fields<'_>, name: &str) -> Result<String, Complaint> {
    let text = fields.need(name)?;
    if text.is_empty() || !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return Err(fields.wrong(name, "expected an even number of hexadecimal digits"));
    }
    Ok(text.to_ascii_uppercase())
}

#[cfg(test)]
mod tests;

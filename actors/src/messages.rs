//! What the actors of one OMM say to each other. What goes in and out of the OMM is in [`crate::doors`].
//!
//! Among themselves they use `do_send`, which knows no bound: the bounds are at the doors (a full endpoint refuses
//! datagrams, a connection is read only as fast as it is understood), and in front of the store
//! ([`crate::user::WAITING_MAX`]). Towards the doors they use `try_send`, and what finds no room is lost as on a network.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix::WeakRecipient;
use actix::prelude::*;
use axi::transaction::Transaction;
use omm::claim::Word;
use omm::ids::{Ipei, Number};
use omm::roaming::{Ask, Refusal};
use sip::message::Message as SipMessage;
use sip::report::Rest;
use sip::server::{Demands, Standing};
use sip::target::Target;

use crate::doors::Datagram;

/// A phone proved that it is here: an authenticated REGISTER, or the location API (then nobody waits for an answer).
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Located {
    /// Whose phone.
    pub user: Number,
    /// The handset, when the phone said so; otherwise the one the directory binds to the user.
    pub device: Option<Ipei>,
    /// The request that waits for the verdict.
    pub ask: Option<Ask>,
}

/// The phone said goodbye, or its user logged out.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Left {
    /// Whose phone.
    pub user: Number,
    /// The handset, when the phone said so.
    pub device: Option<Ipei>,
    /// Which kind of goodbye.
    pub how: Leave,
    /// The request that waits for the verdict.
    pub ask: Option<Ask>,
}

/// How a phone leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// Power off, or a REGISTER with expires 0.
    Detached,
    /// The user logged out of the phone.
    LoggedOut,
}

/// A call of the user began or ended at this OMM (presence is proven while it lasts, SM-4).
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Call {
    /// Whose call.
    pub user: Number,
    /// Began, or ended.
    pub active: bool,
}

/// The verdict on a phone's REGISTER that was held.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Verdict {
    /// The request.
    pub ask: Ask,
    /// Admitted, or why not.
    pub refused: Option<Refusal>,
}

/// A phone has come whose user nobody here knows.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Stranger {
    /// Who it says it is.
    pub user: String,
    /// Its REGISTER, which waits.
    pub ask: Ask,
}

/// The REGISTER of a [`Stranger`] need not wait any more.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Met {
    /// The request.
    pub ask: Ask,
    /// Whether the provisioning server has said something, be it "no".
    pub is_answered: bool,
}

/// What the endpoint brings to the machine that owns a Call-ID.
#[derive(Message, Clone)]
#[rtype(result = "()")]
pub enum Brought {
    /// A SIP response, or a NOTIFY of its subscription.
    Answer(SipMessage),
    /// What the SIP side could not do for it.
    Broken(Broken),
}

/// What the SIP side could not do for the machine that owns a Call-ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Its request could not be sent to this address.
    Request(SocketAddr),
    /// This flow is gone, with whatever was in flight on it. Everybody is told.
    Flow(Target),
    /// This target does not answer, others of its server may. Everybody is told.
    Target(Target),
    /// This target is passed over for so long, or no longer. Everybody is told.
    Rests(Rests),
}

/// A target of a server is passed over from now on.
#[derive(Message, Clone, Copy, Debug, PartialEq, Eq)]
#[rtype(result = "()")]
pub struct Rests {
    /// Which.
    pub target: Target,
    /// For how long; zero when it need not be any more.
    pub time: Duration,
    /// Why.
    pub rest: Rest,
}

/// Everybody with a Call-ID has to know this: a flow that stood is gone, a target is silent or is to rest.
#[derive(Message, Clone, Copy)]
#[rtype(result = "()")]
pub struct TellAll(pub Broken);

/// What the flows have to know of what others heard.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub enum Upkeep {
    /// A datagram that is STUN and no SIP.
    Stun(Datagram),
    /// A server promised to answer keep-alives (RFC 5626 5.4, RFC 6223).
    Promised {
        /// Where it is.
        server: SocketAddr,
        /// How often it wants to be asked; none when it leaves that open.
        interval: Option<Duration>,
    },
    /// A server sent somebody to this target, which has to show the certificate of this domain or address.
    Named {
        /// The target.
        to: Target,
        /// By which name.
        domain: Arc<str>,
    },
}

/// Responses with this Call-ID go to `to` from now on; to nobody when it is `None`.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Route {
    /// The whole Call-ID.
    pub call_id: Arc<str>,
    /// It is that of a subscription: its NOTIFYs go there as well.
    pub subscribed: bool,
    /// Who owns it, weakly: an owner who is gone wants no answers.
    pub to: Option<WeakRecipient<Brought>>,
}

/// A user's machine has something to tell the other OMMs.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Say(pub Word);

/// The star brought a word for a user's machine.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Heard(pub Word);

/// How the server of a tier stands (SM-3H); from its health to the OMM and on to every line.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Stands {
    /// 0 primary, 1 secondary, 2 tertiary.
    pub tier: u8,
    /// How it stands.
    pub standing: Standing,
}

/// What the server of a tier demands of all users; from its health to the OMM and on to every line.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Demanded {
    /// 0 primary, 1 secondary, 2 tertiary.
    pub tier: u8,
    /// What it demands.
    pub demands: Demands,
}

/// One user is to ask the server of a tier, because that answers no OPTIONS; from its health to the OMM, and on to the
/// user that it chose.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Canvass {
    /// 0 primary, 1 secondary, 2 tertiary.
    pub tier: u8,
}

/// One user who is registered at the server of a tier is to look whether that still lists it; from its health to the OMM,
/// and on to the user whose turn it is.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Audit {
    /// 0 primary, 1 secondary, 2 tertiary.
    pub tier: u8,
}

/// The server of a tier has forgotten its users; from its health to the OMM and on to every line.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Restore {
    /// 0 primary, 1 secondary, 2 tertiary.
    pub tier: u8,
}

/// There is no user who could ask.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Nobody;

/// Whether the OMM can speak with the others (told to every user's machine when it changes).
#[derive(Message, Clone, Copy, Debug, PartialEq, Eq)]
#[rtype(result = "()")]
pub enum Reach {
    /// The link to the central (at the central: to any remote) came up.
    Up,
    /// It is gone.
    Down,
}

/// A user is registered elsewhere than before, or not any more; `Kin` says where.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Placed(pub Number);

/// The phone of this user did something that it may do; from its user's actor to the OMM, for AXI clients.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Acted {
    /// Whose phone.
    pub user: Number,
    /// What.
    pub what: Transaction,
}

/// A child of this actor fell over in a panic; its boss hires a new one from what the store knows.
#[derive(Message, Clone, Debug)]
#[rtype(result = "()")]
pub struct Fallen<K: Send + 'static>(pub K);

/// Children without whom nothing in an OMM goes on: when one of them falls over, the OMM starts over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pillar {
    /// Every binding knows its address.
    Endpoint,
    /// It holds what was to become durable.
    Keeper,
    /// It knows who waits for a slot.
    Shaper,
    /// It holds the connections.
    Flows,
    /// It knows which edits are durable.
    Directory,
}

/// Everybody dies at once and says nothing: the process ends, or starts over from the store.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Die;

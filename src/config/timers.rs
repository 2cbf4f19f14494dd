//! Every time that an operator may change (spec 8), each with its default, its bounds and its source.

use std::time::Duration;

use super::reader::Section;

/// The shortest time between two audits of a server. Ours: a request or two in it.
const AUDIT_MIN: Duration = Duration::from_secs(1);

macro_rules! timers {
    ($( $(#[$doc:meta])* $key:ident = $default:literal in $low:literal .. $high:literal; )*) => {
        /// The times of one site. The defaults are those of spec 8.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Timers {
            $( $(#[$doc])* pub $key: Duration, )*
        }

        impl Default for Timers {
            fn default() -> Timers {
                Timers { $( $key: Duration::from_millis($default), )* }
            }
        }

        impl Timers {
            /// Reads the section, key by key.
            pub(super) fn read(section: &Section<'_, '_>) -> Timers {
                let mut timers = Timers::default();
                $(
                    let (low, high) = (Duration::from_millis($low), Duration::from_millis($high));
                    if let Some(found) = section.duration(stringify!($key), low, high) {
                        timers.$key = found.value;
                    }
                )*
                timers.agree(section);
                timers
            }

            /// Every key with its value, for `homing status`.
            pub fn list(&self) -> Vec<(&'static str, Duration)> {
                vec![ $( (stringify!($key), self.$key), )* ]
            }
        }
    };
}

timers! {
    /// How long a roam is kept from the former OMM until the new registration is answered: calls find the user always.
    announce = 2_000 in 0 .. 60_000;
    /// How long the new OMM waits for the former one's confirmation before it renews anyway (M-2.1.4.2-b, AMB-3).
    confirm = 15_000 in 1_000 .. 300_000;
    /// When it renews once more, counted from the claim (AMB-3).
    confirm_again = 45_000 in 2_000 .. 600_000;
    /// How long the former OMM waits for its removal before it confirms with an unknown outcome (SM-2).
    dereg = 8_000 in 500 .. 60_000;
    /// How often a phone proves its presence (M-2.1.4.3-a).
    location_period = 7_200_000 in 1_000 .. 86_400_000;
    /// When to believe that a silent phone is gone (M-2.1.4.3-b).
    watchdog = 9_000_000 in 1_500 .. 172_800_000;
    /// How long a phone that said goodbye keeps its registration (SM-2, `detach_hold`).
    detach_hold = 0 in 0 .. 600_000;
    /// How long the TCP connection to the central may take (SM-1R).
    connect = 10_000 in 100 .. 120_000;
    /// How long the central may take to answer the greeting (SM-1R).
    open = 10_000 in 100 .. 120_000;
    /// How often the link is pinged.
    link_ping = 30_000 in 500 .. 600_000;
    /// After how much silence the link is dead.
    link_dead = 90_000 in 1_000 .. 1_800_000;
    /// How long to wait after a refusal before the central is asked again (`t_held`).
    held = 60_000 in 1_000 .. 3_600_000;
    /// Difference of the clocks that is worth a warning (M-2.2.10-a).
    skew_warn = 2_000 in 100 .. 3_600_000;
    /// Difference of the clocks that holds the link: later edits win by their stamps (SM-7).
    skew_stop = 30_000 in 1_000 .. 3_600_000;
    /// How long a SIP server may be silent before the next one is tried.
    failover = 4_000 in 500 .. 32_000;
    /// When a rejected registration is tried again; doubles up to `rejected_max`.
    rejected = 120_000 in 1_000 .. 86_400_000;
    /// The longest wait after a rejection.
    rejected_max = 1_800_000 in 1_000 .. 86_400_000;
    /// How long nobody may have heard of a SIP server in use before it is asked whether it is there.
    probe_idle = 4_000 in 500 .. 3_600_000;
    /// How often a user looks whether its SIP server still lists it; `0s` is never.
    audit = 30_000 in 0 .. 3_600_000;
    /// How often a dead SIP server is probed at first; doubles up to `probe_max`.
    probe = 30_000 in 500 .. 3_600_000;
    /// The longest wait between two probes.
    probe_max = 300_000 in 500 .. 86_400_000;
    /// How long a server that came back must be well before registrations move back to it (after A-23).
    failback_hold = 600_000 in 0 .. 86_400_000;
}

impl Timers {
    /// Times that only make sense in a certain order.
    fn agree(&self, section: &Section<'_, '_>) {
        if !self.audit.is_zero() && self.audit < AUDIT_MIN {
            section.reader.fault(
                section.span_of("audit"),
                "`audit` is so short that a SIP server would be asked all the time",
                humantime::format_duration(self.audit).to_string(),
                "\"0s\", for never, or \"1s\" to \"1h\"",
                None,
            );
        }
        let pairs = [
            ("location_period", self.location_period, "watchdog", self.watchdog, "M-2.1.4.3-b"),
            (
                "announce",
                self.announce,
                "confirm",
                self.confirm,
                "the former OMM must have heard the question",
            ),
            ("dereg", self.dereg, "confirm", self.confirm, "spec 8: t_confirm > t_dereg + link hops"),
            ("confirm", self.confirm, "confirm_again", self.confirm_again, "AMB-3"),
            ("link_ping", self.link_ping, "link_dead", self.link_dead, "spec 8"),
            ("skew_warn", self.skew_warn, "skew_stop", self.skew_stop, "spec 8"),
        ];
        for (short, less, long, more, source) in pairs {
            if less >= more {
                let culprit = if section.has(short) { short } else { long };
                let text = humantime::format_duration;
                section.reader.fault(
                    section.span_of(culprit),
                    format!("`{long}` must be longer than `{short}` ({source})"),
                    format!("{short} = \"{}\", {long} = \"{}\"", text(less), text(more)),
                    format!("{short} < {long}"),
                    None,
                );
            }
        }
    }
}

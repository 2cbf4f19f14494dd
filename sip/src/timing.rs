//! Every duration of the registration side in one place, so that a scenario can `set` it.

use std::time::Duration;

/// The durations of binding, line and health. The defaults are those of spec section 8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Silence after which the next target is tried when there is one (Mitel sample: 4000 ms).
    pub failover: Duration,
    /// The least lead before expiry of a refresh (SM-3 refresh plan).
    pub lead_min: Duration,
    /// The greatest lead before expiry of a refresh (SM-3 refresh plan).
    pub lead_max: Duration,
    /// A refresh comes never sooner than this after the answer (SM-3 refresh plan).
    pub refresh_floor: Duration,
    /// First wait after an authoritative refusal; doubles.
    pub rejected_first: Duration,
    /// Longest wait after an authoritative refusal.
    pub rejected_max: Duration,
    /// Base of the back-off of RFC 5626 4.5 when nothing works (S-28).
    pub backoff_base: Duration,
    /// The same while another tier serves the user (S-28).
    pub backoff_sheltered: Duration,
    /// Longest back-off (S-28).
    pub backoff_max: Duration,
    /// The longest Retry-After that is believed.
    pub retry_after_max: Duration,
    /// The greatest Min-Expires and granted lifetime that is believed (SM-3: 86,400 s).
    pub expires_max: Duration,
    /// First wait before a failed removal is tried again; doubles (SM-3 Cleanup).
    pub cleanup_first: Duration,
    /// How long the owner may object between a query and the refresh that follows it (ours, SM-3 query before refresh).
    pub objection: Duration,
    /// Two failures within this time take a server down (SM-3H).
    pub suspect_window: Duration,
    /// Silence after which a server in use is asked whether it is there, when users could go elsewhere (ours: with two
    /// unanswered probes a dead server is known within 10 s).
    pub probe_idle: Duration,
    /// The same for a server that is the only one of its site (ours: as seldom as one that is down).
    pub probe_lone: Duration,
    /// How often one of the users of a server looks whether it is still listed there; zero: never (ours: so a registrar
    /// that forgot its table is found out within a minute, for a request or two in that time).
    pub audit: Duration,
    /// First wait between probes of a server that is down; doubles.
    pub probe_first: Duration,
    /// Longest wait between probes of a server that is down.
    pub probe_max: Duration,
    /// Wait between probes of a recovering server.
    pub probe_recovering: Duration,
    /// How long a probe waits for its answer (ours: three copies of it).
    pub probe_reply: Duration,
    /// How long a server must have been stable before users fail back to it.
    pub failback_hold: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        let seconds = Duration::from_secs;
        Timing {
            failover: seconds(4),
            lead_min: seconds(15),
            lead_max: seconds(300),
            refresh_floor: seconds(20),
            rejected_first: seconds(120),
            rejected_max: seconds(30 * 60),
            backoff_base: seconds(30),
            backoff_sheltered: seconds(90),
            backoff_max: seconds(1800),
            retry_after_max: seconds(30 * 60),
            expires_max: seconds(86_400),
            cleanup_first: seconds(30),
            objection: seconds(1),
            suspect_window: seconds(60),
            probe_idle: seconds(4),
            probe_lone: seconds(300),
            audit: seconds(30),
            probe_first: seconds(30),
            probe_max: seconds(300),
            probe_recovering: seconds(30),
            probe_reply: Duration::from_millis(2500),
            failback_hold: seconds(10 * 60),
        }
    }
}

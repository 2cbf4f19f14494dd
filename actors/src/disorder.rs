//! What strangers and broken peers brought over AXI connections, counted for the operator.

/// Counts since the OMM started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disorder {
    /// Messages that could not be understood; the connection went on.
    pub misread: u64,
    /// Connections ended because what came was no message at all: no XML, no UTF-8, too long, nothing but NULs.
    pub broken: u64,
    /// Connections ended because what came had no place at that point.
    pub astray: u64,
    /// Remotes and clients that were not let in.
    pub refused: u64,
    /// How many of those came from addresses that had failed too often: nobody looked at their passwords (SM-1C).
    pub turned_away: u64,
    /// Connections hung up on because there were too many.
    pub unwanted: u64,
}

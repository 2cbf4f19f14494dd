//! What an operator has to know of a user whom a registrar refuses (SM-3: "alarm"): nothing that is tried again mends it.

use super::{Binding, Effect};

/// Codes of one user that are remembered. Ours: a registrar that refuses with more than these is told of no more.
const CODES_MAX: usize = 8;

impl Binding {
    /// Tells of a refusal, once for each code until the user is registered again.
    pub(super) fn alarm(&mut self, code: u16, out: &mut Vec<Effect>) {
        if self.alarmed.contains(&code) || self.alarmed.len() >= CODES_MAX {
            return;
        }
        self.alarmed.push(code);
        let (server, aor) = (&self.server.name, &self.account.aor);
        let advice = match code {
            401 | 407 => format!(
                "expected it to take the password of {}; check that in the directory and at the server, and the realm if \
                 one is set",
                self.account.username
            ),
            404 | 410 | 604 => {
                "expected it to know the user; check the number and the domain, or create the user there"
                    .into()
            }
            _ => "expected 200; ask whoever runs the server why the user may not register".into(),
        };
        out.push(Effect::Alarm(format!("{server} answered {code} to the REGISTER of {aor}: {advice}")));
    }
}

//! Misbehaviour on request, for the registrars of tests: `answer P REGISTER 503 header "Retry-After: 60" for 10m`.
//! How long it lasts is the host's business.

use std::collections::BTreeMap;

/// Most methods with a behaviour of their own; a scenario names a handful. Ours.
const METHODS_MAX: usize = 32;

/// How to answer.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Behaviour {
    /// As the rules say.
    #[default]
    Normal,
    /// Always this status, with these further lines (name, value).
    Code(u16, Vec<(String, String)>),
    /// Not at all.
    Silence,
}

/// What is ordered at present.
#[derive(Clone, Debug, Default)]
pub struct Behaviours {
    all: Behaviour,
    one: BTreeMap<String, Behaviour>,
}

impl Behaviours {
    /// Orders a behaviour for one method or, with `None`, for all that have none of their own. `Normal` for one
    /// method takes its own order back.
    pub fn set(&mut self, method: Option<String>, behaviour: Behaviour) {
        match (method, behaviour) {
            (None, behaviour) => self.all = behaviour,
            (Some(method), Behaviour::Normal) => _ = self.one.remove(&method),
            (Some(method), behaviour) => {
                if self.one.len() < METHODS_MAX || self.one.contains_key(&method) {
                    self.one.insert(method, behaviour);
                }
            }
        }
    }

    /// What is ordered for a method.
    pub fn of(&self, method: &str) -> &Behaviour {
        self.one.get(method).unwrap_or(&self.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_for_one_method_comes_before_the_order_for_all() {
        let mut orders = Behaviours::default();
        orders.set(None, Behaviour::Silence);
        orders.set(Some("OPTIONS".into()), Behaviour::Code(200, Vec::new()));
        assert_eq!(orders.of("REGISTER"), &Behaviour::Silence);
        assert_eq!(orders.of("OPTIONS"), &Behaviour::Code(200, Vec::new()));
        orders.set(Some("OPTIONS".into()), Behaviour::Normal);
        assert_eq!(orders.of("OPTIONS"), &Behaviour::Silence);
        orders.set(None, Behaviour::Normal);
        assert_eq!(orders.of("OPTIONS"), &Behaviour::Normal);
    }
}

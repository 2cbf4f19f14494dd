//! Chance from the operating system: the seed of the service, and the keys of its nonces.

use machine::secret::Secret;

/// Bytes of a key: 256 bits.
const KEY: usize = 32;

/// A seed for everything that needs chance but no secrecy. `None`, and a complaint, when the system has none to give.
pub fn seed() -> Option<u64> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    Some(u64::from_le_bytes(bytes))
}

/// A key that nobody can guess.
pub fn key() -> Option<Secret> {
    let mut bytes = [0; KEY];
    fill(&mut bytes)?;
    Some(Secret::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
}

/// Fills `bytes`; `None`, and a complaint, when the system has none to give.
pub fn fill(bytes: &mut [u8]) -> Option<()> {
    getrandom::fill(bytes)
        .inspect_err(|error| {
            crate::console::complain(&format!("the system gives no random numbers: {error}"))
        })
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        assert_ne!(seed(), seed());
        assert_ne!(key(), key());
        assert_eq!(key().map(|key| key.reveal().len()), Some(2 * KEY));
    }
}

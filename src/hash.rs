//! Hashes of passwords that are set over AXI: Argon2id (RFC 9106), with the parameters that OWASP asks for at least.
//!
//! A hash is kept as `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`, as everybody writes it. It takes some 20 ms and 19 MB, so it
//! is computed beside the actors, never in the turn of one, and one at a time in memory that is kept: what every thread
//! takes and gives back stays with the allocator, 19 MB for each of them, and guessers would make the process grow.

use ::actors::doors::{Hash, Verify};
use std::sync::{Arc, Mutex, PoisonError};

use actix::{Actor, Context, Handler, ResponseFuture};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use machine::secret::Secret;
use tokio::task::spawn_blocking;

use crate::entropy;

/// Bytes of the salt (RFC 9106 4) and of the hash.
const SALT: usize = 16;
const HASH: usize = 32;
/// The most memory that a hash from the store may ask for, in kB, and the most passes. Ours: a damaged record must not take
/// the machine.
const COSTS_MAX: (u32, u32) = (256 * 1024, 16);

/// The actor that hashes.
#[derive(Default)]
pub struct Hasher(Memory);

/// What a hash is computed in. Nothing of a password is left there.
type Memory = Arc<Mutex<Vec<Block>>>;

impl Actor for Hasher {
    type Context = Context<Self>;
}

impl Handler<Hash> for Hasher {
    type Result = ResponseFuture<Option<Secret>>;

    fn handle(&mut self, Hash(password): Hash, _: &mut Context<Self>) -> Self::Result {
        let memory = Arc::clone(&self.0);
        Box::pin(async move { spawn_blocking(move || hash(&password, &memory)).await.ok().flatten() })
    }
}

impl Handler<Verify> for Hasher {
    type Result = ResponseFuture<bool>;

    fn handle(&mut self, Verify { password, hash }: Verify, _: &mut Context<Self>) -> Self::Result {
        let memory = Arc::clone(&self.0);
        Box::pin(
            async move { spawn_blocking(move || fits(&password, &hash, &memory)).await.unwrap_or_default() },
        )
    }
}

fn hash(password: &Secret, memory: &Memory) -> Option<Secret> {
    let mut salt = [0; SALT];
    entropy::fill(&mut salt)?;
    let params = Params::default();
    let hash = compute(password, &salt, params.clone(), memory)?;
    let (m, t, p) = (params.m_cost(), params.t_cost(), params.p_cost());
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    Some(Secret::new(format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${hash}")))
}

/// Whether the password is the one that was hashed. What cannot be read fits nothing.
fn fits(password: &Secret, hash: &Secret, memory: &Memory) -> bool {
    let Some((params, salt, kept)) = read(hash.reveal()) else { return false };
    // In a time that does not depend on where they differ.
    compute(password, &salt, params, memory).is_some_and(|hash| {
        hash.iter().zip(&kept).fold(0, |differs, (ours, theirs)| differs | (ours ^ theirs)) == 0
    })
}

fn compute(password: &Secret, salt: &[u8], params: Params, memory: &Memory) -> Option<[u8; HASH]> {
    let mut hash = [0; HASH];
    // Whoever panicked has left nothing that the next one would read.
    let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
    let (usual, blocks) = (Params::default().block_count(), params.block_count());
    memory.resize(blocks.max(usual), Block::default());
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let room = memory.get_mut(..blocks)?;
    let done =
        argon.hash_password_into_with_memory(password.reveal().as_bytes(), salt, &mut hash, &mut *room);
    room.fill(Block::default());
    memory.truncate(usual);
    memory.shrink_to_fit();
    done.ok().map(|()| hash)
}

fn read(text: &str) -> Option<(Params, Vec<u8>, [u8; HASH])> {
    let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
    let (costs, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
    let mut costs = costs.split(',');
    let mut cost = |name: &str| costs.next()?.strip_prefix(name)?.parse::<u32>().ok();
    let (m, t, p) = (cost("m=")?, cost("t=")?, cost("p=")?);
    if m > COSTS_MAX.0 || t > COSTS_MAX.1 {
        return None;
    }
    let salt = STANDARD_NO_PAD.decode(salt).ok()?;
    let hash = STANDARD_NO_PAD.decode(hash).ok()?.try_into().ok()?;
    Some((Params::new(m, t, p, None).ok()?, salt, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_alone_and_no_hash_looks_like_another() {
        let (password, memory) = (Secret::new("geheim"), Memory::default());
        let (one, other) =
            (hash(&password, &memory).expect("a hash"), hash(&password, &memory).expect("a hash"));
        assert_ne!(one, other);
        assert!(
            one.reveal().starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && !one.reveal().contains("geheim")
        );
        assert!(fits(&password, &one, &memory) && fits(&password, &other, &memory));
        assert!(!fits(&Secret::new("geheim "), &one, &memory) && !fits(&Secret::default(), &one, &memory));
    }

    #[test]
    fn a_hash_that_somebody_else_made_fits() {
        let memory = Memory::default();
        // The reference implementation's test vector: argon2id, v 19, m 256, t 2, p 1.
        let kept = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        assert!(fits(&Secret::new("password"), &Secret::new(kept), &memory));
    }

    #[test]
    fn what_is_no_hash_fits_nothing_and_takes_no_memory() {
        let memory = Memory::default();
        for kept in
            ["", "geheim", "$argon2id$v=19$m=4000000000,t=2,p=1$c29tZXNhbHQ$AAAA", "$argon2id$v=19$m=256$$"]
        {
            assert!(!fits(&Secret::new("geheim"), &Secret::new(kept), &memory), "{kept}");
        }
        assert_eq!(memory.lock().expect("nobody panicked").capacity(), 0);
    }

    #[test]
    fn of_a_password_nothing_is_left_in_memory_and_a_costly_hash_takes_it_once() {
        let (memory, salt) = (Memory::default(), [7; SALT]);
        let usual = Params::default();
        let costly = Params::new(usual.m_cost() + 64, 1, 1, None).expect("parameters");
        for params in [costly, usual.clone()] {
            assert!(compute(&Secret::new("geheim"), &salt, params, &memory).is_some());
            let memory = memory.lock().expect("nobody panicked");
            assert_eq!(memory.capacity(), usual.block_count());
            assert!(memory.iter().all(|block| block.as_ref().iter().all(|word| *word == 0)));
        }
    }
}

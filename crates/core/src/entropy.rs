//! Randomness, as an argument: the system's generator in production, a counter in tests that must repeat.

/// The source of randomness did not answer. Nothing was made; the caller fails closed (503).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the source of randomness did not answer")]
pub struct NoEntropy;

/// Where random bytes come from.
///
/// # Security
/// Session tokens, nonces and salts rest on this. Every implementation but a test's must be a cryptographically secure
/// generator (ASVS 7.2.3, 11.5.1).
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`NoEntropy`] if the source failed; `bytes` must not be used then.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy>;
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(bytes).map_err(|_| NoEntropy)
    }
}

/// `N` fresh random bytes.
pub(crate) fn random<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}

//! What must hold in every state that can be reached.

/// The properties of 03, "What must be shown".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Property {
    /// Without thief and sign-out, nothing the browser presents is refused.
    NoHonestEnd,
    /// A copy presented after its death is found to be reuse.
    Detection,
    /// After an end, nothing of any generation is admitted beyond the stated staleness, and nothing comes back to life.
    Finality,
    /// A token with a bad tag changes nothing.
    NoAmplification,
}

impl Property {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NoHonestEnd, Self::Detection, Self::Finality, Self::NoAmplification];
}

impl std::fmt::Display for Property {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::NoHonestEnd => "1 no honest end",
            Self::Detection => "2 detection",
            Self::Finality => "3 finality",
            Self::NoAmplification => "4 no amplification",
        })
    }
}

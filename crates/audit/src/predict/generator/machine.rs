//! Generators that must not make tokens: what they give after a seed.

/// Which generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// `rand` of the GNU C library.
    Glibc,
    /// The example of the C standard, its whole state.
    AnsiState,
    /// The example of the C standard.
    Ansi,
    /// `rand` of Microsoft's C library.
    Msvc,
    /// That of "Numerical Recipes".
    Recipes,
    /// Park and Miller's, as C++ has it.
    Minstd,
    /// `java.util.Random`.
    Java,
    /// Marsaglia's of 32 bits.
    Xorshift,
    /// MT19937, as PHP and C++ seed it.
    Twister,
    /// MT19937, as Python and Ruby seed it.
    TwisterOfArray,
}

impl Family {
    /// From the cheapest.
    pub(super) const ALL: [Self; 10] = [
        Self::AnsiState,
        Self::Ansi,
        Self::Msvc,
        Self::Recipes,
        Self::Minstd,
        Self::Java,
        Self::Xorshift,
        Self::Glibc,
        Self::Twister,
        Self::TwisterOfArray,
    ];

    /// Whether an output does not show what comes next.
    pub(super) const fn hides_its_state(self) -> bool {
        matches!(self, Self::Glibc | Self::Twister | Self::TwisterOfArray)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Glibc => "rand() of the GNU C library",
            Self::AnsiState | Self::Ansi => "the C standard's example of rand()",
            Self::Msvc => "rand() of Microsoft's C library",
            Self::Recipes => "the generator of Numerical Recipes",
            Self::Minstd => "minstd_rand",
            Self::Java => "java.util.Random",
            Self::Xorshift => "xorshift32",
            Self::Twister => "MT19937",
            Self::TwisterOfArray => "MT19937 as Python and Ruby seed it",
        }
    }
}

/// A seeded generator; what it gave is kept.
pub(super) struct Machine {
    family: Family,
    state: u64,
    /// Of MT19937 and glibc.
    words: Vec<u32>,
    outputs: Vec<u32>,
}

impl Machine {
    pub(super) fn new(family: Family) -> Self {
        Self { family, state: 0, words: vec![0; TWISTER], outputs: Vec::new() }
    }

    pub(super) const fn family(&self) -> Family {
        self.family
    }

    /// How many bits an output has.
    pub(super) const fn width(&self) -> u32 {
        match self.family {
            Family::Glibc | Family::AnsiState | Family::Minstd => 31,
            Family::Ansi | Family::Msvc => 15,
            _ => 32,
        }
    }

    pub(super) fn seed(&mut self, seed: u64) {
        self.outputs.clear();
        let low = low(seed);
        match self.family {
            Family::Java => self.state = (seed ^ JAVA) & ((1 << 48) - 1),
            Family::Minstd => {
                self.state = if seed.is_multiple_of(0x7fff_ffff) { 1 } else { u64::from(low) % 0x7fff_ffff }
            }
            Family::Glibc => self.seed_glibc(low),
            Family::Twister => twister(&mut self.words, low),
            Family::TwisterOfArray => twister_of_array(&mut self.words, seed),
            _ => self.state = u64::from(low),
        }
    }

    /// The output of that number, from 0.
    pub(super) fn output(&mut self, at: usize) -> u32 {
        while self.outputs.len() <= at {
            let next = self.next();
            self.outputs.push(next);
        }
        self.outputs.get(at).copied().unwrap_or_default()
    }

    /// Makes so many outputs at once.
    pub(super) fn fill(&mut self, outputs: usize) {
        if let Some(last) = outputs.checked_sub(1) {
            self.output(last);
        }
    }

    /// What it gave between two outputs.
    pub(super) fn given(&self, from: usize, to: usize) -> &[u32] {
        self.outputs.get(from..to).unwrap_or_default()
    }

    fn next(&mut self) -> u32 {
        let mut linear = |factor: u64, more: u64, bits: u32| {
            self.state = self.state.wrapping_mul(factor).wrapping_add(more) & ((1 << bits) - 1);
            self.state
        };
        match self.family {
            Family::AnsiState => low(linear(1_103_515_245, 12_345, 31)),
            Family::Ansi => low(linear(1_103_515_245, 12_345, 32) >> 16 & 0x7fff),
            Family::Msvc => low(linear(214_013, 2_531_011, 32) >> 16 & 0x7fff),
            Family::Recipes => low(linear(1_664_525, 1_013_904_223, 32)),
            Family::Java => low(linear(JAVA, 11, 48) >> 16),
            Family::Minstd => {
                self.state = self.state * 48_271 % 0x7fff_ffff;
                low(self.state)
            }
            Family::Xorshift => {
                self.state = u64::from(xorshift(low(self.state)));
                low(self.state)
            }
            Family::Glibc => self.next_glibc(),
            Family::Twister | Family::TwisterOfArray => self.next_twister(),
        }
    }

    /// Its first 34 words, then 310 that nobody sees.
    fn seed_glibc(&mut self, seed: u32) {
        let mut word = i64::from(if seed == 0 { 1 } else { seed }.cast_signed());
        let mut words = vec![low(word.cast_unsigned())];
        for _ in 1..31 {
            word = 16_807 * word % 2_147_483_647;
            word += if word < 0 { 2_147_483_647 } else { 0 };
            words.push(low(word.cast_unsigned()));
        }
        self.words = words;
        for at in 31..344 {
            let back = if at < 34 { 31 } else { 3 };
            let (far, near) = (self.back(31), if at < 34 { 0 } else { self.back(back) });
            self.words.push(far.wrapping_add(near));
        }
    }

    fn next_glibc(&mut self) -> u32 {
        let next = self.back(31).wrapping_add(self.back(3));
        self.words.push(next);
        next >> 1
    }

    fn back(&self, by: usize) -> u32 {
        self.words.len().checked_sub(by).and_then(|at| self.words.get(at)).copied().unwrap_or_default()
    }

    #[expect(clippy::indexing_slicing, reason = "places modulo the length")]
    fn next_twister(&mut self) -> u32 {
        let at = self.outputs.len() % TWISTER;
        let next = twist(self.words[at], self.words[(at + 1) % TWISTER], self.words[(at + 397) % TWISTER]);
        self.words[at] = next;
        temper(next)
    }
}

/// What follows, 624 words later.
pub(super) const fn twist(word: u32, next: u32, far: u32) -> u32 {
    let mixed = (word & 0x8000_0000) | (next & 0x7fff_ffff);
    far ^ (mixed >> 1) ^ if mixed & 1 == 1 { 0x9908_b0df } else { 0 }
}

const fn temper(mut word: u32) -> u32 {
    word ^= word >> 11;
    word ^= word << 7 & 0x9d2c_5680;
    word ^= word << 15 & 0xefc6_0000;
    word ^ word >> 18
}

/// The word of the state that an output came from.
pub(super) const fn untemper(mut word: u32) -> u32 {
    word ^= word >> 18;
    word ^= word << 15 & 0xefc6_0000;
    let mut low = word;
    let mut round = 0;
    while round < 4 {
        low = word ^ (low << 7 & 0x9d2c_5680);
        round += 1;
    }
    low ^ low >> 11 ^ low >> 22
}

pub(super) const fn xorshift(mut word: u32) -> u32 {
    word ^= word << 13;
    word ^= word >> 17;
    word ^ word << 5
}

#[expect(clippy::indexing_slicing, reason = "places below the length")]
fn twister(words: &mut [u32], seed: u32) {
    words[0] = seed;
    let mut word = seed;
    for (at, place) in words.iter_mut().enumerate().skip(1) {
        word = 1_812_433_253_u32.wrapping_mul(word ^ word >> 30).wrapping_add(low(at as u64));
        *place = word;
    }
}

#[expect(clippy::indexing_slicing, reason = "places below the length")]
fn twister_of_array(words: &mut [u32], seed: u64) {
    let key = [low(seed), low(seed >> 32)];
    let key = if key[1] == 0 { &key[..1] } else { &key[..] };
    twister(words, 19_650_218);
    let (mut at, mut of_key) = (1, 0);
    let wrap = |words: &mut [u32], at: usize| {
        if at < TWISTER {
            at
        } else {
            words[0] = words[TWISTER - 1];
            1
        }
    };
    for _ in 0..TWISTER {
        let before = words[at - 1];
        let mixed = words[at] ^ (before ^ before >> 30).wrapping_mul(1_664_525);
        words[at] = mixed.wrapping_add(key[of_key]).wrapping_add(low(of_key as u64));
        of_key = (of_key + 1) % key.len();
        at = wrap(words, at + 1);
    }
    for _ in 1..TWISTER {
        let before = words[at - 1];
        let mixed = words[at] ^ (before ^ before >> 30).wrapping_mul(1_566_083_941);
        words[at] = mixed.wrapping_sub(low(at as u64));
        at = wrap(words, at + 1);
    }
    words[0] = 0x8000_0000;
}

/// The low 32 bits.
pub(super) fn low(word: u64) -> u32 {
    u32::try_from(word & 0xffff_ffff).unwrap_or_default()
}

/// How many words MT19937 has.
pub(super) const TWISTER: usize = 624;
/// The factor of `java.util.Random`.
pub(super) const JAVA: u64 = 0x5_deec_e66d;

#[cfg(test)]
mod tests {
    use super::*;

    /// From the generators themselves, and the value that the C++ standard demands.
    #[test]
    fn outputs_are_those_of_the_originals() {
        #[rustfmt::skip]
        let cases: [(Family, u64, &[u32]); 7] = [
            (Family::Glibc,          1,     &[1_804_289_383, 846_930_886, 1_681_692_777]),
            (Family::Glibc,          42,    &[71_876_166, 708_592_740, 1_483_128_881]),
            (Family::Msvc,           1,     &[41, 18_467, 6_334]),
            (Family::Ansi,           1,     &[16_838, 5_758, 10_113]),
            (Family::Twister,        5_489, &[3_499_211_612, 581_869_302, 3_890_346_734]),
            (Family::TwisterOfArray, 42,    &[2_746_317_213, 478_163_327, 107_420_369]),
            (Family::Java,           42,    &[3_124_862_261, 234_785_527, 2_934_422_497]),
        ];
        for (family, seed, outputs) in cases {
            let mut machine = Machine::new(family);
            machine.seed(seed);
            let given: Vec<_> = (0..3).map(|at| machine.output(at)).collect();
            assert_eq!(given, outputs, "{family:?}");
        }
        let mut machine = Machine::new(Family::Twister);
        machine.seed(5_489);
        assert_eq!(machine.output(9_999), 4_123_659_995);
    }

    #[test]
    fn tempering_is_undone() {
        for word in [0, 1, 0x8000_0000, 0xdead_beef, u32::MAX] {
            assert_eq!(untemper(temper(word)), word);
        }
    }
}

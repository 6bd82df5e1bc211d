//! What an operator's own detector adds to what we found about a request, and to what we decide on it. It takes nothing away.

use super::grade::Grades;
use super::history::Finding;
use super::signal::{Decision, Sensitivity, Signal, Signals};
use crate::detector::{OnSilence, Verdict};

/// What came of asking a detector.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Heard {
    /// Nobody asked.
    #[default]
    Unasked,
    /// It answered.
    Verdict(Verdict),
    /// It did not, and this follows.
    Silence(OnSilence),
}

impl Heard {
    /// What speaks against the context of a request once this was heard.
    ///
    /// A verdict of `step_up` stays with the context, as our own grave signals do. What silence left there goes with the next
    /// answer about it; everything else goes with a step-up alone.
    pub fn doubts(&self, before: Signals, grave: Signals) -> Signals {
        match self {
            Self::Unasked | Self::Silence(OnSilence::Open) => before,
            Self::Silence(OnSilence::Closed) => before.or(Signals::NONE.with(Signal::DetectorSilent).and(grave)),
            Self::Verdict(verdict) => {
                let holds_back = verdict.decisions().any(|decision| decision == Decision::StepUp);
                let added = Signals::NONE.and_if(holds_back, Signal::Detector).and(grave);
                before.without(Signals::NONE.with(Signal::DetectorSilent)).or(added)
            }
        }
    }

    /// What is decided on a request about which this was heard: as we decide, or more. `finding` has the doubts that this left.
    pub fn decide(&self, grades: &Grades, finding: &Finding, route: Sensitivity) -> Decision {
        grades.answer(finding, route).max(self.strongest(grades, route))
    }

    /// Whether the session's limits are to be tightened: a signal of the detector's asks for it, though another asks for more.
    pub fn shortens(&self, grades: &Grades, route: Sensitivity) -> bool {
        self.decisions(grades, route).any(|decision| decision == Decision::Shorten)
    }

    /// The strongest that is decided on what the detector said, by this alone.
    pub fn strongest(&self, grades: &Grades, route: Sensitivity) -> Decision {
        self.decisions(grades, route).max().unwrap_or_default()
    }

    fn decisions(&self, grades: &Grades, route: Sensitivity) -> impl Iterator<Item = Decision> {
        let verdict = match self {
            Self::Verdict(verdict) => Some(verdict),
            Self::Unasked | Self::Silence(_) => None,
        };
        let said = verdict.into_iter().flat_map(Verdict::decisions);
        said.map(move |decision| grades.of_verdict(decision, route))
    }
}

impl Grades {
    /// What is decided where a detector says `said`: that, but for a step-up, which is asked for where the policy says so. A
    /// detector is not asked about every request, so what it says must mean something on those that follow.
    pub fn of_verdict(&self, said: Decision, route: Sensitivity) -> Decision {
        match said {
            Decision::StepUp => self.of(Signal::Detector).on(route),
            said => said,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Grade;

    const SILENT: Signals = Signals::NONE.with(Signal::DetectorSilent);
    const DETECTED: Signals = Signals::NONE.with(Signal::Detector);
    const ABROAD: Signals = Signals::NONE.with(Signal::CountryChanged);

    fn said(decision: Decision) -> Heard {
        Heard::Verdict(Verdict::NOTHING.with("own".parse().unwrap(), decision).unwrap())
    }

    /// The decision, and the doubts that stay.
    fn judged(
        grades: &Grades,
        ours: Signals,
        before: Signals,
        heard: &Heard,
        route: Sensitivity,
    ) -> (Decision, Signals) {
        let doubts = heard.doubts(before, grades.grave());
        let finding = Finding { signals: ours, fresh: ours, doubts, ..Finding::default() };
        (heard.decide(grades, &finding, route), doubts)
    }

    #[test]
    fn what_a_detector_says_makes_what_we_decide_stronger_and_never_weaker() {
        use Decision::{Note, Notify, Revoke, Shorten, StepUp};
        let grades = Grades::standard(false);
        #[rustfmt::skip]
        let rows = [
            // what is said                       ours    before            ordinary  sensitive  stays
            (Heard::Unasked,                      ABROAD, Signals::NONE,    Notify,   StepUp,    Signals::NONE),
            (said(Decision::None),                ABROAD, Signals::NONE,    Notify,   StepUp,    Signals::NONE),
            (said(Note),                          ABROAD, Signals::NONE,    Notify,   StepUp,    Signals::NONE),
            (said(Shorten),                       ABROAD, Signals::NONE,    Shorten,  StepUp,    Signals::NONE),
            (said(StepUp),                        ABROAD, Signals::NONE,    StepUp,   StepUp,    DETECTED),
            (said(Revoke),                        ABROAD, Signals::NONE,    Revoke,   Revoke,    Signals::NONE),
            (said(Note),                          Signals::NONE, ABROAD,    Note,     StepUp,    ABROAD),
            (said(Decision::None),                Signals::NONE, DETECTED,  StepUp,   StepUp,    DETECTED),
            (said(Decision::None),                Signals::NONE, SILENT,    Decision::None, Decision::None, Signals::NONE),
            (said(Decision::None),                Signals::NONE, SILENT.or(ABROAD), Decision::None, StepUp, ABROAD),
            (Heard::Silence(OnSilence::Open),     ABROAD, Signals::NONE,    Notify,   StepUp,    Signals::NONE),
            (Heard::Silence(OnSilence::Closed),   ABROAD, Signals::NONE,    Notify,   StepUp,    SILENT),
            (Heard::Silence(OnSilence::Closed),   Signals::NONE, Signals::NONE, Decision::None, StepUp, SILENT),
            (Heard::Silence(OnSilence::Open),     Signals::NONE, SILENT,    Decision::None, StepUp, SILENT),
        ];
        for (heard, ours, before, ordinary, sensitive, stays) in rows {
            let on = |route| judged(&grades, ours, before, &heard, route);
            let found = (on(Sensitivity::Ordinary), on(Sensitivity::Sensitive));
            assert_eq!(found, ((ordinary, stays), (sensitive, stays)), "{heard:?} {ours:?} {before:?}");
        }
    }

    #[test]
    fn whatever_is_said_nothing_of_ours_is_weakened_but_what_silence_left() {
        let all: Vec<Signals> = Signal::ALL.into_iter().map(|signal| Signals::NONE.with(signal)).collect();
        let grades = Grades::standard(true);
        for (ours, before) in all.iter().flat_map(|ours| all.iter().map(move |before| (*ours, *before))) {
            for (decision, route) in
                Decision::ALL.into_iter().flat_map(|d| [Sensitivity::Ordinary, Sensitivity::Sensitive].map(|r| (d, r)))
            {
                let (alone, doubts) = judged(&grades, ours, before.without(SILENT), &Heard::Unasked, route);
                let (with, stays) = judged(&grades, ours, before, &said(decision), route);
                assert!(
                    with >= alone && with >= grades.of_verdict(decision, route),
                    "{ours:?} {before:?} {decision:?}"
                );
                assert_eq!(stays.and(doubts), doubts, "{ours:?} {before:?} {decision:?}");
            }
        }
    }

    #[test]
    fn the_policy_says_where_a_step_up_is_asked_for() {
        let softer = Grade { ordinary: Decision::Notify, sensitive: Decision::StepUp };
        let grades = Grades::standard(false).with(Signal::Detector, softer);
        let on = |route| judged(&grades, Signals::NONE, Signals::NONE, &said(Decision::StepUp), route);
        assert_eq!(on(Sensitivity::Ordinary), (Decision::Notify, DETECTED));
        assert_eq!(on(Sensitivity::Sensitive), (Decision::StepUp, DETECTED));
        let never = Grades::standard(false)
            .with(Signal::Detector, Grade { ordinary: Decision::Note, sensitive: Decision::Note });
        let on = |route| judged(&never, Signals::NONE, Signals::NONE, &said(Decision::StepUp), route);
        assert_eq!(on(Sensitivity::Sensitive), (Decision::Note, Signals::NONE), "what holds back nobody is not kept");
    }
}

//! The windows of asserts, and the looks that some claims need.

use machine::time::Moment;

use super::Unfolding;
use crate::plan::{Assert, Form, Step, Verb};
use crate::script;
use crate::script::assert::{self, Span};
use crate::script::claim::Claim;

/// How often a claim about digests is looked at in its window. Ours.
const LOOKS: u32 = 40;
impl Unfolding<'_> {
    pub(super) fn assert(&mut self, at: Moment, order: usize, step: &script::Step, assert: &assert::Assert) {
        let end = self.plan.end;
        let window = |span: &Span| match span {
            Span::Run => (Moment::START, end),
            Span::Onwards => (at, end),
            Span::For(span) => (at, at + *span),
            Span::Between(from, until) => (Moment::START + *from, Moment::START + *until),
        };
        let (form, (from, until)) = match assert {
            assert::Assert::Expect { claim, within } => {
                // What is expected next in the same step, without a time of its own, may wait as long as what stands
                // before it: "in step within 5m, and then owned by aachen".
                let inherited = self.patience.filter(|(then, _)| *then == at && within.is_zero());
                let within = inherited.map_or(*within, |(_, patience)| patience);
                self.patience = Some((at, within));
                (Form::Expect(claim.clone()), (at, at + within))
            }
            assert::Assert::Always { claim, span } => (Form::Always(claim.clone()), window(span)),
            assert::Assert::Never { claim, span } => (Form::Never(claim.clone()), window(span)),
            assert::Assert::Order { user, events, within } => {
                let user = user.as_ref().and_then(|name| self.user(name));
                (Form::Order { user, events: events.clone() }, (at, within.map_or(end, |within| at + within)))
            }
            assert::Assert::Limit { metric, at: node, op, value } => (
                Form::Limit { metric: *metric, at: node.clone(), op: *op, value: *value },
                (Moment::START, end),
            ),
        };
        if matches!(
            &form,
            Form::Expect(Claim::Equal) | Form::Always(Claim::Equal) | Form::Never(Claim::Equal)
        ) {
            self.weigh(step, (from, until));
        }
        self.asserts
            .push((order, Assert { place: step.place.clone(), text: step.text.clone(), form, from, until }));
    }

    /// The looks at the directories that a claim about their digests needs. A digest of ten thousand users is dear, so
    /// there are only so many.
    fn weigh(&mut self, step: &script::Step, (from, until): (Moment, Moment)) {
        let span = until.since(from);
        let looks = (0..=LOOKS).map(|look| from + span * look / LOOKS);
        let mut looks: Vec<Moment> = looks.collect();
        looks.dedup();
        let steps = looks.into_iter().map(|at| Step { at, place: step.place.clone(), verb: Verb::Weigh });
        self.plan.steps.extend(steps);
    }
}

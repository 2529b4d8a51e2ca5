//! Bugs that are planted on purpose: the harness has to find each of them.

/// What one kind of programmer's mistake does to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// None: the code as it is.
    None,
    /// A state is made in the order in which steps arrive: what is not allowed at that moment is dropped.
    ArrivalOrder,
    /// A restarted node looks at a case again only when a step comes.
    ForgottenClock,
    /// A message is acknowledged before it is durable.
    EarlyAck,
    /// A message that was delivered before is not answered.
    SilentTwin,
    /// A message that was delivered before is taken once more.
    SecondEffect,
    /// A step that does not count when it arrives is not kept.
    LostVoid,
    /// What was told of a case is not recorded with it.
    RepeatedAlarm,
    /// The watch over an alert is opened after the commit that accepts it.
    LateWatch,
    /// A node sends without asking whether the case allows the step.
    UncheckedStep,
}

impl Fault {
    /// Every bug that can be planted.
    pub const PLANTED: [Self; 9] = [
        Self::ArrivalOrder,
        Self::ForgottenClock,
        Self::EarlyAck,
        Self::SilentTwin,
        Self::SecondEffect,
        Self::LostVoid,
        Self::RepeatedAlarm,
        Self::LateWatch,
        Self::UncheckedStep,
    ];
}

//! Every metric and its labels in one list. INVARIANT: no label can hold personal data: labels are codes,
//! lanes, families and countries, and families with S3 or S4 data are merged as `protection`.

use std::sync::Arc;

use prometheus::{
    Encoder as _, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};

use puente_core::duty::SummonsState;
use puente_core::ids::MessageType;

use crate::store::CommitObserver;

/// Which listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// The country's own systems.
    Domestic,
    /// The other members.
    Federation,
}

impl Face {
    /// The face as a label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Domestic => "domestic",
            Self::Federation => "federation",
        }
    }
}

/// Why content went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErasureCause {
    /// The subject was erased.
    Subject,
    /// Its time was over.
    Retention,
}

impl ErasureCause {
    /// The cause as a label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Retention => "retention",
        }
    }
}

/// All metrics of a node.
pub struct Metrics {
    registry: Registry,
    messages: IntCounterVec,
    decisions: IntCounterVec,
    questions: IntGaugeVec,
    erased: IntCounterVec,
    rejected: IntCounterVec,
    deliveries: HistogramVec,
    queue_depth: IntGaugeVec,
    queue_oldest: GaugeVec,
    certificate_days: GaugeVec,
    commit_seconds: Histogram,
    commit_writes: Histogram,
    clock_skew: GaugeVec,
    clock_median: GaugeVec,
    approvals_open: IntGauge,
    protection_alarms: IntCounterVec,
    alert_silences: IntCounterVec,
    duty_unstaffed: IntCounterVec,
    summonses: IntCounterVec,
    duty_channel_up: IntGaugeVec,
    duty_gap_minutes: IntGauge,
    case_alarms: IntCounterVec,
    notices: IntGaugeVec,
    suspensions: IntGaugeVec,
    peer_up: IntGaugeVec,
    event_streams: IntGauge,
    webhook_calls: IntCounterVec,
    webhooks_paused: IntGauge,
    dead_letters: IntGauge,
    started: Gauge,
}

/// Families whose categories are S3 or S4: never told apart by a metric.
const PROTECTION_FAMILIES: [&str; 6] =
    ["child", "trafficking", "asylum", "tracing", "missing_child", "emergency"];

/// The family of a type as a label.
#[must_use]
pub fn family_label(message_type: &MessageType) -> &str {
    let family = message_type.family();
    if PROTECTION_FAMILIES.contains(&family) { "protection" } else { family }
}

impl Metrics {
    /// Registers every metric.
    ///
    /// # Errors
    /// When two share a name, which a test would have shown.
    pub fn new() -> Result<Arc<Self>, prometheus::Error> {
        let registry = Registry::new();
        let counters =
            |name: &str, help: &str, labels: &[&str]| -> Result<IntCounterVec, prometheus::Error> {
                let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
                registry.register(Box::new(metric.clone()))?;
                Ok(metric)
            };
        let gauges = |name: &str, help: &str, labels: &[&str]| -> Result<GaugeVec, prometheus::Error> {
            let metric = GaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let int_gauges =
            |name: &str, help: &str, labels: &[&str]| -> Result<IntGaugeVec, prometheus::Error> {
                let metric = IntGaugeVec::new(Opts::new(name, help), labels)?;
                registry.register(Box::new(metric.clone()))?;
                Ok(metric)
            };
        let histogram = |name: &str, help: &str, buckets: Vec<f64>| -> Result<Histogram, prometheus::Error> {
            let metric = Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets))?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let seconds = vec![
            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0,
        ];
        let deliveries = HistogramVec::new(
            HistogramOpts::new("puente_delivery_seconds", "From release to the peer's receipt.")
                .buckets(seconds.clone()),
            &["lane"],
        )?;
        registry.register(Box::new(deliveries.clone()))?;
        let int_gauge = |name: &str, help: &str| -> Result<IntGauge, prometheus::Error> {
            let metric = IntGauge::new(name, help)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let started = Gauge::new("puente_start_time_seconds", "When the node started, Unix time.")?;
        registry.register(Box::new(started.clone()))?;
        Ok(Arc::new(Self {
            messages: counters(
                "puente_messages_total",
                "Messages by family, direction and verdict.",
                &["family", "direction", "verdict"],
            )?,
            decisions: counters(
                "puente_policy_decisions_total",
                "Decisions by rule and outcome.",
                &["rule", "outcome"],
            )?,
            questions: int_gauges(
                "puente_policy_questions",
                "Questions to the policies in force since they were loaded, remembered or worked out.",
                &["answer"],
            )?,
            erased: counters("puente_erased_total", "Messages whose content went, by cause.", &["cause"])?,
            rejected: counters("puente_rejected_total", "What a face refused, by code.", &["code", "face"])?,
            queue_depth: int_gauges("puente_queue_depth", "Messages that wait, by lane.", &["lane"])?,
            queue_oldest: gauges(
                "puente_queue_oldest_seconds",
                "Age of the oldest message that waits, by lane.",
                &["lane"],
            )?,
            certificate_days: gauges(
                "puente_certificate_days_left",
                "Days until a certificate ends.",
                &["kind"],
            )?,
            commit_seconds: histogram(
                "puente_store_commit_seconds",
                "Time of one group commit with its fsync.",
                seconds,
            )?,
            commit_writes: histogram(
                "puente_store_commit_writes",
                "Writes in one group commit.",
                vec![1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0],
            )?,
            clock_skew: gauges(
                "puente_clock_skew_seconds",
                "How far a peer's clock is from ours.",
                &["peer"],
            )?,
            clock_median: gauges(
                "puente_clock_median_seconds",
                "How far the median of all members' clocks is ahead of ours; beyond 120 nothing new is begun.",
                &[],
            )?,
            notices: int_gauges(
                "puente_notices_unresolved",
                "Withdrawals, corrections and erasures that a recipient has not confirmed, by whether it is late.",
                &["late"],
            )?,
            suspensions: int_gauges(
                "puente_suspensions",
                "Suspensions in force, by what they name: peer, purpose or category.",
                &["kind"],
            )?,
            peer_up: int_gauges(
                "puente_peer_up",
                "1 when the last exchange with the peer succeeded.",
                &["peer"],
            )?,
            protection_alarms: counters(
                "puente_protection_alarms_total",
                "Silences about stopped rows past their time, and people who travel nevertheless.",
                &["alarm"],
            )?,
            alert_silences: counters(
                "puente_alert_silences_total",
                "Alerts that nobody answered, acted on or signed for in time, or that a peer did not take.",
                &["silence"],
            )?,
            duty_unstaffed: counters(
                "puente_duty_unstaffed_total",
                "Calls over an alert that found nobody on duty, by who was wanted.",
                &["wake"],
            )?,
            summonses: counters(
                "puente_summonses_total",
                "Attempts to call somebody over an alert, by channel and what came of it.",
                &["channel", "state"],
            )?,
            duty_channel_up: int_gauges(
                "puente_duty_channel_up",
                "1 when the server of a channel by which people are called answers.",
                &["channel"],
            )?,
            duty_gap_minutes: int_gauge(
                "puente_duty_gap_minutes",
                "Minutes of the next seven days in which an agency that answers alerts has nobody on duty.",
            )?,
            event_streams: int_gauge("puente_event_streams", "Streams of events that are open.")?,
            webhook_calls: counters(
                "puente_webhook_calls_total",
                "Calls of agencies' webhooks, by what came of them.",
                &["outcome"],
            )?,
            webhooks_paused: int_gauge(
                "puente_webhooks_paused",
                "Webhooks that call no more until resumed.",
            )?,
            dead_letters: int_gauge("puente_dead_letters", "Events that a webhook did not take.")?,
            approvals_open: int_gauge("puente_approvals_open", "Held rows that wait for officers.")?,
            case_alarms: counters(
                "puente_case_alarms_total",
                "Clocks of children's cases that have run out.",
                &["clock"],
            )?,
            deliveries,
            started,
            registry,
        }))
    }

    /// A message of this type got this verdict.
    pub fn message(&self, message_type: &MessageType, direction: &str, verdict: &str) {
        self.messages.with_label_values(&[family_label(message_type), direction, verdict]).inc();
    }

    /// A submission got this verdict by this rule.
    pub fn verdict(&self, outcome: &str, rule: Option<&str>) {
        self.decisions.with_label_values(&[rule.unwrap_or("none"), outcome]).inc();
    }

    /// How many questions the policies in force have remembered and worked out so far.
    pub fn questions(&self, remembered: u64, worked_out: u64) {
        for (answer, count) in [("remembered", remembered), ("worked_out", worked_out)] {
            self.questions.with_label_values(&[answer]).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// This many messages lost their content.
    pub fn erased(&self, cause: ErasureCause, messages: usize) {
        self.erased.with_label_values(&[cause.as_str()]).inc_by(u64::try_from(messages).unwrap_or(u64::MAX));
    }

    /// A face refused something.
    pub fn rejected(&self, face: Face, code: &str) {
        self.rejected.with_label_values(&[code, face.as_str()]).inc();
    }

    /// A message was receipted this long after its release.
    pub fn delivered(&self, lane: &str, seconds: f64) {
        self.deliveries.with_label_values(&[lane]).observe(seconds);
    }

    /// How long the queues are.
    pub fn queue(&self, lane: &str, depth: i64, oldest_seconds: f64) {
        self.queue_depth.with_label_values(&[lane]).set(depth);
        self.queue_oldest.with_label_values(&[lane]).set(oldest_seconds);
    }

    /// How long a certificate still stands.
    pub fn certificate(&self, kind: &str, days: f64) {
        self.certificate_days.with_label_values(&[kind]).set(days);
    }

    /// How the last exchange with a peer went.
    pub fn peer(&self, peer: &str, up: bool) {
        self.peer_up.with_label_values(&[peer]).set(i64::from(up));
    }

    /// How far a peer's clock is from ours.
    pub fn skew(&self, peer: &str, seconds: f64) {
        self.clock_skew.with_label_values(&[peer]).set(seconds);
    }

    /// How far the median of all clocks is ahead of ours.
    pub fn median(&self, seconds: f64) {
        self.clock_median.with_label_values::<&str>(&[]).set(seconds);
    }

    /// How many rows wait for officers.
    pub fn approvals(&self, open: i64) {
        self.approvals_open.set(open);
    }

    /// Something about a stopped row alarms.
    pub fn protection_alarm(&self, alarm: &str) {
        self.protection_alarms.with_label_values(&[alarm]).inc();
    }

    /// Nobody has stopped a clock in time.
    pub fn alert_silence(&self, silence: &str) {
        self.alert_silences.with_label_values(&[silence]).inc();
    }

    /// A call over an alert found nobody on duty.
    pub fn duty_unstaffed(&self, wake: &str) {
        self.duty_unstaffed.with_label_values(&[wake]).inc();
    }

    /// Whether the server of a channel answers.
    pub fn duty_channel(&self, channel: &str, up: bool) {
        self.duty_channel_up.with_label_values(&[channel]).set(i64::from(up));
    }

    /// How long nobody will be on duty.
    pub fn duty_gap(&self, minutes: i64) {
        self.duty_gap_minutes.set(minutes);
    }

    /// Somebody was called, or it was tried.
    pub fn summons(&self, channel: &str, state: SummonsState) {
        self.summonses.with_label_values(&[channel, state.as_str()]).inc();
    }

    /// A clock of a child's case has run out.
    pub fn case_alarm(&self, clock: &str) {
        self.case_alarms.with_label_values(&[clock]).inc();
    }

    /// How many notices no recipient has answered, and how many of them are past their term.
    pub fn notices(&self, unresolved: usize, late: usize) {
        for (label, count) in [("yes", late), ("no", unresolved.saturating_sub(late))] {
            self.notices.with_label_values(&[label]).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// How many members, purposes or categories are suspended.
    pub fn suspensions(&self, kind: &str, in_force: i64) {
        self.suspensions.with_label_values(&[kind]).set(in_force);
    }

    /// How many streams of events are open.
    pub fn streams(&self, open: usize) {
        self.event_streams.set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    /// A webhook was called, with this outcome.
    pub fn webhook(&self, outcome: &str) {
        self.webhook_calls.with_label_values(&[outcome]).inc();
    }

    /// How many webhooks are paused, and how many events were not taken.
    pub fn webhooks(&self, paused: usize, dead_letters: u64) {
        self.webhooks_paused.set(i64::try_from(paused).unwrap_or(i64::MAX));
        self.dead_letters.set(i64::try_from(dead_letters).unwrap_or(i64::MAX));
    }

    /// When the node started.
    #[expect(clippy::cast_precision_loss, reason = "seconds since the epoch fit a double")]
    pub fn started(&self, at_s: i64) {
        self.started.set(at_s as f64);
    }

    /// All of it in Prometheus' text format.
    ///
    /// # Errors
    /// When the encoder fails.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        let mut buffer = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut buffer)?;
        String::from_utf8(buffer).map_err(|error| prometheus::Error::Msg(error.to_string()))
    }
}

impl CommitObserver for Metrics {
    #[expect(clippy::cast_precision_loss, reason = "counts and microseconds are small")]
    fn committed(&self, _commits: usize, writes: usize, micros: u64) {
        self.commit_seconds.observe(micros as f64 / 1e6);
        self.commit_writes.observe(writes as f64);
    }
}

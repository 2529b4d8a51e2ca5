//! What every store must do, as cases over `&dyn Store`: run on each implementation.
//!
//! Not here: what only one medium has (files, keys, full disks). `for_every_case!` is the list.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub(super) mod approval;
pub(super) mod authority;
pub(super) mod cases;
pub(super) mod commit;
pub(super) mod consent;
pub(super) mod determination;
pub(super) mod duty;
pub(super) mod erase;
pub(super) mod operation;
pub(super) mod outbox;
pub(super) mod protection;
pub(super) mod record;
pub(super) mod webhook;

use puente_core::catalogue::Lane;
use puente_core::delivery::{
    ApprovalRow, ApprovalState, CommitId, Committed, DecisionRow, Direction, Event, EventKind, Ground,
    IdempotentAnswer, InboundRow, Keeping, LeafRow, MessageRow, OutboundRow, OutboundState, ReceiptRow,
    StatementRow, SubjectTag, Write,
};
use puente_core::ids::{
    ApprovalId, CaseId, CountryCode, DecisionId, Digest, MessageId, OperationId, ReleaseId, Role,
};
use uuid::Uuid;

use super::{ChunkOwner, ChunkPlace, Guard, Past, Store, StoreError};

/// Calls `$run!(family, case)` for every case there is.
macro_rules! for_every_case {
    ($run:ident) => {
        $run! {
            commit::a_stored_message_reads_back_whole,
            commit::an_id_is_stored_once_in_either_direction,
            commit::a_failing_write_undoes_its_whole_commit_and_names_itself,
            commit::another_commit_of_the_group_survives_a_failing_one,
            commit::a_token_is_of_its_own_commit,
            commit::chunks_are_idempotent_and_never_change,
            commit::a_chunk_is_its_owners_alone,
            commit::what_no_message_names_is_bounded_for_each_owner,
            commit::forgetting_drops_answers_and_ids_past_their_keeping_only,
            outbox::only_due_rows_come_out_oldest_release_first,
            outbox::a_case_that_backs_off_holds_its_later_rows_but_no_other_case,
            outbox::an_alert_that_backs_off_holds_no_other_alert,
            outbox::another_release_is_not_moved,
            outbox::a_final_state_is_final,
            outbox::an_unconfirmed_row_waits_no_more_and_may_still_be_settled,
            outbox::depth_is_right_after_each_transition,
            outbox::expired_rows_are_found_while_they_wait,
            record::a_repeated_receipt_is_ignored_and_a_sent_one_is_due_no_more,
            record::a_known_inbound_message_comes_with_its_first_receipt,
            record::under_an_id_that_was_never_accepted_nothing_comes_in_later,
            record::events_reach_the_agency_named_and_every_agency_of_the_role,
            record::the_latest_decision_of_a_message_reads_back,
            record::decisions_are_read_newest_first_and_none_twice,
            record::an_idempotency_key_is_one_agencys_and_used_once,
            record::history_tells_release_receipts_and_unreceipted_states,
            record::an_operation_is_read_in_pages_without_gap_or_repeat,
            record::an_operation_that_comes_is_listed_for_whom_it_is_and_no_other,
            record::replies_and_the_operators_listing_are_found,
            erase::an_erased_message_keeps_its_metadata_and_receipts_and_waits_no_more,
            erase::an_erased_subject_is_gone_and_its_neighbour_is_not,
            erase::retention_tells_the_agency_and_then_takes_the_content,
            erase::a_refused_message_is_kept_as_metadata_only,
            erase::a_legal_hold_refuses_erasure_and_puts_retention_off,
            erase::chunks_stay_as_long_as_a_message_names_them,
            erase::records_go_after_their_years_but_not_while_content_is_kept,
            erase::a_draft_goes_once_its_approval_has_been_closed_for_its_days,
            operation::a_target_is_suspended_once_and_again_only_after_it_was_lifted,
            operation::held_rows_wake_in_the_order_of_their_release_and_no_other_row_does,
            operation::the_policies_in_force_are_those_granted_last,
            operation::a_person_states_on_a_proposal_once_and_only_while_it_is_open,
            approval::an_approval_reads_back_with_its_statements,
            approval::a_person_speaks_once_and_only_while_it_is_open,
            approval::of_two_first_words_at_once_only_one_is_recorded_as_the_first,
            approval::an_approval_closes_once,
            approval::lapsing_approvals_are_those_open_past_their_time,
            authority::acts_are_found_by_thread_message_authority_and_id,
            authority::one_person_gives_one_act_on_a_row_and_it_ends_once,
            authority::a_peer_takes_back_what_it_approved_in_a_thread_and_no_officers_act,
            authority::a_waiting_message_comes_out_with_what_it_was_decided_on,
            determination::a_determination_is_found_by_person_message_and_authority,
            determination::a_determination_ends_once_and_with_the_key_of_its_person,
            protection::a_hold_changes_only_from_its_last_state_and_an_ended_one_stands_no_more,
            protection::each_side_lists_the_stops_that_wait_for_it_and_no_record,
            protection::what_an_erased_subject_submitted_as_a_stopped_row_reads_back_no_more,
            protection::a_settled_stop_loses_its_draft_after_its_days_and_an_open_one_keeps_it,
            protection::a_stop_is_due_at_its_next_alarm_and_not_after_both_were_told,
            protection::whom_a_message_names_comes_out_with_it_while_it_waits,
            duty::a_clock_begins_once_and_moves_only_from_its_last_state,
            duty::a_clock_that_is_looked_at_again_is_due_and_overtakes_who_read_it_before,
            duty::a_settled_clock_is_due_no_more_and_listed_no_more,
            duty::a_call_is_due_until_it_is_over,
            consent::a_restriction_stands_until_its_own_question_is_settled,
            cases::steps_read_back_in_the_order_in_which_they_came_and_by_the_offers_thread,
            cases::a_transfer_is_looked_at_after_every_step_and_when_its_clock_says,
            cases::transfers_are_listed_by_what_runs_out_first,
            consent::a_consent_reads_back_with_its_events_in_their_order,
            consent::a_record_never_changes_and_an_event_takes_one_free_place,
            consent::the_ledger_is_found_by_consent_subject_and_message_with_the_messages_state,
            consent::a_notice_is_answered_once,
            consent::what_came_in_about_a_person_is_found_by_her_and_she_by_it,
            webhook::a_webhook_changes_only_from_its_last_state,
            webhook::a_dead_letter_is_listed_once_marked_in_place_and_settled_once,
            webhook::a_removed_webhook_takes_its_dead_letters_with_it,
            webhook::the_last_event_is_found_whomever_it_is_for,
            consent::what_a_peer_withdrew_is_kept_once_a_notice_and_not_mixed_with_another_peers,
        }
    };
}
pub(super) use for_every_case;

pub(super) fn peer() -> CountryCode {
    "GT".parse().unwrap()
}

pub(super) fn role() -> Role {
    "returns_reception".parse().unwrap()
}

pub(super) fn message_id(number: u128) -> MessageId {
    MessageId(Uuid::from_u128(number))
}

pub(super) fn release_of(number: u128) -> ReleaseId {
    Digest::of(&number.to_be_bytes())
}

/// A message whose every column says something; case 1, bulk lane, released at `1_000 + number`.
pub(super) fn message(direction: Direction, number: u128) -> MessageRow {
    MessageRow {
        direction,
        message: message_id(number),
        release: release_of(number),
        peer: peer(),
        lane: Lane::Bulk,
        message_type: "return.manifest".parse().unwrap(),
        version: 3,
        agency: Some("INM".parse().unwrap()),
        role: role(),
        case: CaseId(Uuid::from_u128(1)),
        operation: Some(OperationId(Uuid::from_u128(2))),
        row: Some(7),
        in_reply_to: None,
        step: None,
        created_ms: 1_000 + i64::try_from(number).unwrap(),
        expires_ms: 1_000_000,
        state: if direction == Direction::Out { "queued" } else { "accepted" }.to_owned(),
        code: None,
        categories: vec!["id.core".to_owned(), "travel".to_owned()],
        wire: b"MARK-WIRE".to_vec(),
    }
}

pub(super) fn subject(number: u8) -> SubjectTag {
    SubjectTag([number; 32])
}

/// Kept until 100,000, told at 90,000.
pub(super) fn keeping(number: u8) -> Keeping {
    Keeping { subject: subject(number), until_ms: 100_000, notice_ms: 90_000, attachments: Vec::new() }
}

/// An outbound row that is due at once.
pub(super) fn outbound(number: u128) -> OutboundRow {
    OutboundRow {
        message: message(Direction::Out, number),
        keeping: keeping(1),
        due_ms: 1_000,
        withheld: b"MARK-WITHHELD".to_vec(),
        named: b"MARK-NAMED".to_vec(),
        ground: Ground { digest: Digest::of(b"ground"), lapses_ms: Some(9_000) },
    }
}

pub(super) fn inbound(number: u128) -> InboundRow {
    InboundRow {
        message: message(Direction::In, number),
        keeping: Some(keeping(1)),
        issuer_digest: Digest::of(b"issuer"),
        keep_until_ms: 5_000,
    }
}

/// The row's next state, with release and attempts as they would be.
pub(super) fn moves(number: u128, state: OutboundState, due_ms: i64) -> Write {
    Write::OutboundState {
        message: message_id(number),
        release: release_of(number),
        state,
        code: None,
        due_ms,
        attempts: 1,
    }
}

pub(super) fn receipt(direction: Direction, number: u128, state: &str) -> ReceiptRow {
    ReceiptRow {
        direction,
        peer: peer(),
        message: message_id(number),
        release: release_of(number),
        state: state.to_owned(),
        code: None,
        at_ms: 2_000,
        receipt: format!("{{\"state\":\"{state}\"}}").into_bytes(),
        to_send: direction == Direction::In,
    }
}

pub(super) fn decision(number: u128, message: u128) -> DecisionRow {
    DecisionRow {
        decision: DecisionId(Uuid::from_u128(number)),
        message: Some(message_id(message)),
        outcome: "permit_redacted".to_owned(),
        rule: "rule.first".to_owned(),
        spoke: vec!["rule.first".to_owned(), "rule.second".to_owned()],
        policy: Digest::of(b"policy"),
        subject: Some(subject(1)),
        facts: b"MARK-FACTS".to_vec(),
        at_ms: 1_500,
    }
}

pub(super) fn leaf(number: u128) -> LeafRow {
    LeafRow {
        leaf: Digest::of(&number.to_be_bytes()),
        subject: Some(subject(1)),
        salt: b"MARK-SALT-SALTSALT".to_vec(),
        record: b"MARK-RECORD".to_vec(),
        at_ms: 1_500,
    }
}

pub(super) fn event(kind: EventKind, agency: Option<&str>, message: u128, state: &str) -> Event {
    Event {
        kind,
        agency: agency.map(|agency| agency.parse().unwrap()),
        role: role(),
        message: Some(message_id(message)),
        approval: None,
        message_type: Some("return.manifest".parse().unwrap()),
        state: state.to_owned(),
        at_ms: 3_000,
    }
}

pub(super) fn answer(agency: &str, key: &str, keep_until_ms: i64) -> IdempotentAnswer {
    IdempotentAnswer {
        agency: agency.parse().unwrap(),
        key: key.to_owned(),
        request: Digest::of(key.as_bytes()),
        status: 202,
        body: b"MARK-ANSWER".to_vec(),
        keep_until_ms,
    }
}

pub(super) fn approval_id(number: u128) -> ApprovalId {
    ApprovalId(Uuid::from_u128(number))
}

/// An open approval that lapses at `10_000 + number`.
pub(super) fn approval(number: u128) -> ApprovalRow {
    ApprovalRow {
        approval: approval_id(number),
        agency: "INM".parse().unwrap(),
        role: role(),
        submitter: Some("person-1".parse().unwrap()),
        message_type: "return.manifest".parse().unwrap(),
        peer: peer(),
        operation: Some(OperationId(Uuid::from_u128(2))),
        row: Some(4),
        rules: vec!["hold.minor".to_owned()],
        preview: Digest::of(b"preview"),
        case: Some(CaseId(Uuid::from_u128(1))),
        subject: Some(subject(1)),
        draft: b"MARK-DRAFT".to_vec(),
        opened_ms: 1_000,
        lapses_ms: 10_000 + i64::try_from(number).unwrap(),
        state: ApprovalState::Open,
        closed_ms: None,
        message: None,
    }
}

pub(super) fn statement(approval: u128, person: &str) -> StatementRow {
    StatementRow {
        approval: approval_id(approval),
        officer: format!("officer-{person}").parse().unwrap(),
        agency: "INM".parse().unwrap(),
        person: person.parse().unwrap(),
        verdict: "grant".to_owned(),
        statement: "aa.bb.cc".to_owned(),
        at_ms: 2_000,
    }
}

/// What every text at rest that must be sealed begins with in these cases.
pub(super) const MARKS: &[u8] = b"MARK-";

/// One row of every kind that holds something of a person; all of subject 1.
pub(super) fn everything() -> Vec<Write> {
    vec![
        Write::Outbound(outbound(1)),
        Write::Inbound(inbound(2)),
        Write::Decision(decision(1, 1)),
        Write::Leaf(leaf(1)),
        Write::Event(event(EventKind::MessageState, Some("INM"), 1, "queued")),
        Write::Approval(approval(1)),
        Write::Idempotent(answer("INM", "key", 9_000)),
        Write::Hold(protection::hold(1)),
        Write::Stop(protection::stop(1)),
        Write::Webhook(webhook::webhook(1)),
    ]
}

/// A chunk of an agency under the root that these bytes stand for.
pub(super) fn chunk_at(agency: &str, root: &[u8], index: u32) -> ChunkPlace {
    ChunkPlace { owner: ChunkOwner::Agency(agency.parse().unwrap()), root: Digest::of(root), index }
}

/// Nothing but what says itself until when it is kept is past its keeping.
pub(super) fn past(now_ms: i64) -> Past {
    Past { now_ms, chunks_ms: 0, drafts_ms: 0, records_ms: 0 }
}

/// Commits; every case numbers its commits alike, as the token is checked once.
pub(super) async fn commit(store: &dyn Store, writes: Vec<Write>) -> Result<Committed, StoreError> {
    store.commit(CommitId(1), writes).await
}

/// Commits what must succeed.
pub(super) async fn put(store: &dyn Store, writes: Vec<Write>) {
    commit(store, writes).await.unwrap();
}

/// The refusal of a commit's write number `write`.
pub(super) fn conflict(write: usize, what: Guard) -> Result<Committed, StoreError> {
    Err(StoreError::Conflict { write, what })
}

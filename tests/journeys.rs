//! The stories of `scenarios/`, lived through in virtual time, each against its golden trace.
//!
//! A golden trace is what an administrator would read: the timeline of the run. Of worlds with a crowd it holds what
//! concerns nobody in particular or a user that the story names, and at its end a digest of everything. `UPDATE=1`
//! writes the golden traces anew; read the difference before you believe it.

use std::cell::RefCell;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;

use replay::plan::{self, Override, Plan};
use replay::report::Report;
use replay::run::{self, Listener};
use replay::script::reader;
use replay::trace::{Sight, subject};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn plan(file: &Path) -> Arc<Plan> {
    let name = file.strip_prefix(root()).unwrap_or(file).display().to_string();
    let text = fs::read_to_string(file).unwrap();
    let folder = file.parent().unwrap().to_path_buf();
    let mut open = |name: &str| fs::read_to_string(folder.join(name)).map_err(|fault| fault.to_string());
    let told = |complaints: Vec<_>| -> String {
        complaints
            .iter()
            .map(|complaint: &replay::script::complaint::Complaint| complaint.to_string())
            .collect()
    };
    let script = reader::read(&name, &text, &mut open).unwrap_or_else(|wrong| panic!("{}", told(wrong)));
    Arc::new(plan::make(&script, Override::default()).unwrap_or_else(|wrong| panic!("{}", told(wrong))))
}

/// The golden text of a run while it goes on.
#[derive(Default)]
struct Golden {
    text: String,
    line: String,
    events: u64,
    /// FNV-1a over every line, also those that are left out.
    digest: u64,
}

impl Golden {
    fn see(&mut self, sight: &Sight<'_>, crowd: bool) {
        self.line.clear();
        sight.print_into(&mut self.line);
        self.events += 1;
        for byte in self.line.bytes().chain([b'\n']) {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        if !crowd {
            self.text.push_str(&self.line);
            self.text.push('\n');
        }
    }
}

fn live(plan: &Arc<Plan>) -> (Report, String) {
    let golden = Rc::new(RefCell::new(Golden::default()));
    // Users of the crowd have no name of their own but their number.
    let crowd: std::collections::HashSet<Arc<str>> =
        plan.users.iter().filter(|user| user.name == user.number).map(|user| user.number.clone()).collect();
    let listener: Listener = {
        let golden = golden.clone();
        Box::new(move |sight| {
            let of_crowd = !crowd.is_empty() && is_crowd(sight, &crowd);
            golden.borrow_mut().see(sight, of_crowd);
        })
    };
    let findings = run::run(plan, plan.seed, Some(listener)).unwrap();
    let mut golden = golden.take();
    let (events, digest) = (golden.events, golden.digest);
    let _ = writeln!(golden.text, "{events} events, digest {digest:016x}");
    (Report::new(plan, &findings), golden.text)
}

fn is_crowd(sight: &Sight<'_>, crowd: &std::collections::HashSet<Arc<str>>) -> bool {
    let of_aor =
        |aor: &str| aor.strip_prefix("sip:").and_then(|rest| rest.split('@').next()).map(str::to_owned);
    let user = sight
        .text("user")
        .or_else(|| sight.text("number"))
        .map(str::to_owned)
        .or_else(|| sight.text("aor").and_then(of_aor));
    crowd.contains(subject(sight.who)) || user.is_some_and(|user| crowd.contains(user.as_str()))
}

fn check(name: &str) {
    let file = root().join("scenarios").join(format!("{name}.scn"));
    let (report, trace) = live(&plan(&file));
    assert_eq!(report.exit_code(), 0, "\n{}", report.console());
    let golden = root().join("scenarios/golden").join(format!("{name}.trace"));
    if std::env::var_os("UPDATE").is_some() {
        return fs::write(golden, trace).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    if let Some((line, (was, is))) =
        expected.lines().zip(trace.lines()).enumerate().find(|(_, (a, b))| a != b)
    {
        panic!("{name} left its golden trace at line {}:\n  was {was}\n  is  {is}\n{UPDATE}", line + 1);
    }
    assert_eq!(
        expected.lines().count(),
        trace.lines().count(),
        "{name} is longer or shorter than its golden trace; {UPDATE}"
    );
}

const UPDATE: &str = "if that is right: UPDATE=1 cargo test --test journeys, and read the difference";

macro_rules! journeys {
    ($($story:ident = $name:literal,)*) => {
        $(#[test] fn $story() { check($name); })*

        #[test]
        fn every_scenario_is_a_journey() {
            let mut told: Vec<String> = vec![$($name.to_owned()),*];
            let mut there: Vec<String> = fs::read_dir(root().join("scenarios"))
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|ending| ending == "scn"))
                .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
                .collect();
            told.sort();
            there.sort();
            assert_eq!(told, there);
        }
    };
}

journeys! {
    one_system_is_split_into_sites = "d1-one-system-is-split-into-sites",
    two_systems_become_one = "d2-two-systems-become-one",
    an_update_begins_at_the_central = "d3-an-update-begins-at-the-central",
    a_dead_remote_is_replaced = "d4-a-dead-remote-is-replaced",
    all_sites_go_back_to_a_backup = "d5-all-sites-go-back-to-a-backup",
    a_central_is_gone_and_two_sites_settle_a_roam_between_them = "r9-central-that-is-gone",
    a_central_is_gone_and_direct_channels_are_off = "r9-direct-channels-off",
    a_system_is_set_up_site_by_site = "y1-first-attach",
    a_remote_that_is_not_empty_is_refused = "y2-remote-with-users-of-its-own",
    an_eleventh_remote_waits_for_a_place = "y3-eleventh-remote",
    sites_that_do_not_fit_are_held_until_they_do = "y4-sites-that-do-not-fit",
    ten_thousand_users_pass_a_narrow_link = "y6-ten-thousand-over-a-narrow-link",
    the_second_address_of_the_central_is_used = "y9-second-address-of-the-central",
    the_sari_is_set_once_and_for_all = "y11-sari-is-for-good",
    a_soft_restart_keeps_the_bindings = "x1-soft-restart-keeps-bindings",
    a_backup_is_put_back_in_three_ways = "l7-three-ways-to-restore",
    a_restore_without_relations_logs_users_out = "l8-restore-without-relations",
    a_deletion_waits_for_an_absent_remote = "l9-tombstone-waits-for-an-absent-remote",
    a_user_roams_and_the_new_owner_renews_behind_the_confirmation = "r1-roam-with-link-up",
    a_registrar_that_removes_any_binding_loses_nobody = "r2-registrar-that-removes-any",
    a_registrar_that_takes_one_contact_is_retried_at_once = "r3-registrar-that-rejects-a-second",
    a_roam_with_the_link_down_is_bounded_by_the_watchdog = "r4-roam-with-link-down",
    a_link_that_heals_ends_the_double_registration = "r5-link-heals-after-ten-minutes",
    a_registrar_that_lists_all_ends_a_double_registration_at_the_refresh = "r6-evidence-of-multi",
    a_registrar_of_outbound_ends_a_double_registration_at_the_refresh = "r6-evidence-of-outbound",
    a_registrar_that_replaces_is_asked_before_it_is_refreshed = "r6-evidence-of-single-replace",
    a_contact_that_bars_the_new_owner_is_removed_in_the_former_ones_place = "r6-evidence-of-single-reject",
    three_sites_in_three_seconds_end_with_one_owner = "r7-three-sites-in-three-seconds",
    claims_of_the_same_instant_end_with_one_owner = "r8-two-claims-in-one-instant",
    lost_late_and_repeated_words_do_no_harm = "r10-words-that-get-lost",
    a_new_owner_that_crashes_loses_nobody = "r11-new-owner-crashes",
    a_sighting_is_older_or_newer_whatever_the_clocks_say = "r12-clocks-wrong-by-ten-minutes",
    a_login_on_another_phone_is_a_roam = "r13-login-on-another-phone",
    a_phone_that_may_not_roam_is_refused = "r14-pari-only-phone-elsewhere",
    flapping_is_alarmed_and_slowed_down = "r15-flapping-between-two-sites",
    a_profile_that_two_sites_edit_is_the_later_one = "l11-profile-edited-at-two-sites",
    a_phone_that_nobody_knows_fetches_its_user_from_the_provisioning_server = "e2-phone-that-nobody-knows",
    a_phone_logs_in_by_the_additional_id_unless_two_users_have_it = "l12-login-by-additional-id",
    a_server_s_not_found_deletes_and_its_errors_do_not = "e1-external-users",
    a_removal_that_succeeds_late_is_confirmed_twice = "r16-removal-that-succeeds-late",
    a_roam_passes_a_cold_start_of_a_thousand = "s1-roam-during-a-cold-start",
    a_vip_is_moved_before_the_others = "s2-vip-is-moved-first",
    a_drill_moves_a_site_and_brings_it_back = "s3-drill-and-back",
    parallel_registrations_make_failover_free = "s4-parallel-loses-nothing",
    a_serial_user_stays_until_his_server_fails = "s5-serial-stays",
    a_link_is_cut_and_a_proxy_dies_among_ten_thousand = "sample",
    a_broken_tcp_flow_is_registered_anew = "g9-tcp-flow-that-breaks",
    a_redirection_leads_to_a_name = "g3-redirected-to-a-name",
    a_challenge_is_answered_at_the_target_it_came_from = "wild-two-targets-of-a-name",
    a_server_that_asks_for_less_gets_less = "wild-server-that-asks-for-less",
    all_targets_of_a_name_fall_silent_together = "g12-all-targets-fall-silent",
    servers_move_in_the_dns_and_the_dns_dies = "g12-servers-that-move-in-the-dns",
    phones_that_report_in_time_are_never_overdue = "w1-phones-that-repeat-in-time",
    a_silent_phone_is_believed_gone_after_two_and_a_half_hours = "w2-phone-that-falls-silent",
    a_restart_does_not_feed_the_watchdog = "w3-restart-does-not-reset-the-watchdog",
    what_was_edited_later_wins_group_by_group = "l1-edited-at-two-sites",
    deleted_last_is_deleted_and_edited_last_lives = "l2-deleted-here-edited-there",
    a_sighting_brings_no_deleted_user_back = "l3-deleted-and-then-seen",
    one_number_created_twice_is_one_user = "l4-one-number-created-twice",
    numbers_swapped_at_two_sites_stay_unique = "l5-two-numbers-swapped",
    what_was_written_in_the_future_waits = "l6-clock-ten-minutes-ahead",
    all_sites_serve_the_same_when_there_are_too_many = "l10-more-than-the-platform-holds",
    only_what_changed_is_sent_after_an_outage = "y5-delta-after-an-outage",
    a_change_is_everywhere_within_a_second = "y7-change-seen-within-a-second",
    a_link_that_flaps_doubles_and_loses_no_record = "y8-link-that-flaps",
    a_slow_remote_delays_nobody_else = "y10-slow-remote",
    a_phone_that_says_goodbye_is_removed_at_once = "w4-phone-that-says-goodbye",
    a_challenge_with_md5_costs_one_round = "g1-401-with-md5",
    the_topmost_challenge_that_is_understood_is_answered = "g1-401-sha-256-topmost",
    a_proxy_that_asks_for_the_password_is_answered = "g1-407-from-a-proxy",
    a_stale_nonce_costs_one_round = "g1-stale-nonce",
    a_password_that_is_not_taken_makes_no_loop = "g1-wrong-password",
    an_interval_too_brief_is_lengthened_once = "g2-423-interval-too-brief",
    a_loop_of_redirections_ends_at_the_next_tier = "g3-redirection-loop",
    one_503_with_retry_after_is_heard_by_all_users = "g4-503-with-retry-after",
    one_target_asks_for_rest_and_the_others_serve = "g4-503-of-one-target",
    a_503_without_retry_after_is_any_5xx = "g4-503-without-retry-after",
    a_retry_after_of_zero_is_followed_once = "g4-retry-after-zero",
    a_retry_after_of_zero_asks_the_dns_first = "g4-retry-after-zero-of-a-server-that-moved",
    a_retry_after_of_the_wild_loses_nobody = "g4-retry-after-of-the-wild",
    silence_fails_over_after_four_seconds = "g5-silence-fails-over",
    silence_of_the_only_server_is_asked_eleven_times = "g5-silence-of-the-only-server",
    three_tiers_fall_and_return_in_every_order = "g6-every-order-of-three",
    a_late_200_leaves_nothing_behind = "g7-late-200",
    what_is_granted_too_briefly_is_refreshed_in_time = "g8-short-and-empty-grants",
    ten_thousand_users_start_without_a_storm = "g10-ten-thousand-start-up",
    the_back_off_doubles_up_to_half_an_hour = "g11-back-off-series",
    a_removal_that_cannot_be_done_is_not_forgotten = "g13-removal-that-cannot-be-done",
    a_removal_waits_for_its_registrar = "g13-removal-that-waits-for-its-registrar",
    a_registrar_that_forgets_gets_everybody_back_within_a_minute = "g14-registrar-that-forgets",
    one_user_who_was_removed_comes_back_alone = "g14-one-user-is-removed",
    lists_that_say_nothing_make_no_storm = "g14-lists-that-say-nothing",
    a_failover_registrar_lets_its_guests_in_after_three_minutes = "v12-failover-registrar-as-third-tier",
    a_403_after_months_is_never_for_good = "wild-403-after-months",
    a_423_that_makes_no_sense_is_one_refusal = "wild-423-that-makes-no-sense",
    absurd_lifetimes_make_no_storm = "wild-absurd-grants",
    doubled_and_reordered_answers_do_no_harm = "wild-answers-doubled-and-reordered",
    contacts_of_others_are_never_touched = "wild-contacts-of-others",
    nonces_without_end_come_to_an_end = "wild-nonces",
    a_stranger_learns_no_digest = "wild-realm-of-a-stranger",
    a_server_that_answers_options_only_is_left = "wild-options-answered-register-not",
    a_registrar_that_dies_of_load_is_given_time = "wild-registrar-that-dies-of-load",
    a_restart_of_the_omm_loses_nobody = "wild-restart-of-the-omm",
    a_port_that_moves_is_nobodys_business = "wild-rport-that-moves",
    lifetimes_that_shrink_lose_nobody = "wild-shrinking-expires",
}

#[test]
fn two_processes_write_the_same_bytes() {
    let out = tempfile::tempdir().unwrap();
    let scenario = root().join("scenarios/r8-two-claims-in-one-instant.scn");
    let trace = |name: &str| {
        let folder = out.path().join(name);
        let run = Command::new(env!("CARGO_BIN_EXE_homing"))
            .arg("replay")
            .arg(&scenario)
            .arg("--out")
            .arg(&folder)
            .output();
        let run = run.unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
        fs::read(folder.join("r8-two-claims-in-one-instant/108/trace.jsonl")).unwrap()
    };
    let (first, second) = (trace("first"), trace("second"));
    assert!(first.len() > 10_000, "the trace holds the run");
    assert!(first == second, "the traces of two processes differ");
}

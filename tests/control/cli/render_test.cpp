// SPDX-License-Identifier: Apache-2.0
// The views as people see them, to the letter.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/cli/human_text.hpp"
#include "control/cli/progress_bar.hpp"
#include "control/cli/render_ledger.hpp"
#include "control/cli/render_views.hpp"
#include "control/cli/text_table.hpp"
#include "tests/control/sample_status.hpp"

namespace wiretally {
namespace {

using testing::HasSubstr;
using testing::Not;

const Style kPlain;

TEST(RenderLedger, shows_each_stage_with_total_and_parts) {
  EXPECT_EQ(render_ledger(test::sample_ledger(), ZeroParts::kHidden, kPlain),
            R"(                            packets  octets   L2 octets  records
port lab
  offered                 1,234,567
  = received              1,234,500
  + missed.nic                   67
worker 0
  received                1,234,500          99,000,000
  = metered               1,234,400          98,990,000
  + not_metered.filtered        100              10,000
sink 127.0.0.1:2055
  records                                                    500
  = delivered                                                490
  + queued                                                     7
  + dropped.refused                                            3
The ledger balances (4 lines).
)");
}

TEST(RenderLedger, shows_parts_that_are_zero_on_request) {
  EXPECT_THAT(render_ledger(test::sample_ledger(), ZeroParts::kShown, kPlain),
              HasSubstr("  + missed.no_mbuf                0\n"));
}

TEST(RenderLedger, names_what_is_not_accounted_for) {
  Ledger ledger = test::sample_ledger();
  ledger.lines[0].total.value += 3;
  ledger.lines[2].parts[0].value += 40;
  const std::string text = render_ledger(ledger, ZeroParts::kHidden, kPlain);
  EXPECT_THAT(text, HasSubstr("  NOT ACCOUNTED FOR              +3\n"));
  EXPECT_THAT(text, HasSubstr("  NOT ACCOUNTED FOR                                 -40\n"));
  EXPECT_THAT(text, HasSubstr("The ledger does NOT balance: 2 of 4 lines, 3 packets.\n"));
}

TEST(RenderLedger, says_of_an_empty_ledger_that_it_balances) {
  EXPECT_EQ(render_ledger({}, ZeroParts::kHidden, kPlain), "The ledger balances (0 lines).\n");
}

TEST(RenderStatus, shows_the_meter_on_one_screen) {
  EXPECT_EQ(
      render_status(test::sample_status(), kPlain),
      R"(wiretally 9.8.7, driver dpdk (net_af_packet), up 3m12s, at 2023-11-14 22:13:20.123 UTC
paused: packets count as not metered until `wiretally resume`
tick every 1.0 s: 191 so far, the last took 4.20 ms, on average 5.00 ms

port             ifindex   received   frames  missed       IPv4     IPv6  other  not metered  coarse
lab (zero-copy)       12  1,234,500  99.0 MB      67  1,000,000  234,390     10          100     170
  lab: 67 packets missed: nic
  lab: 100 packets not metered: filtered
  lab: 5 packets metered with a note: truncated_transport
  lab: 41 packets coarse: no_ports
  lab: 42 packets coarse: destination_host
  lab: 43 packets coarse: source_host
  lab: 44 packets coarse: protocol

worker  core  entries  capacity  epochs  busy
     0     1   61,000   786,432     191  25 %

flows: 61,234 active of at most 1,000,000, 250,000 begun; ended: idle_timeout 100,000, active_timeout 80,000, end_of_flow 8,000, forced_end 700, lack_of_resources 66
  321 deleted by order
ended by: idle 1, tcp 2, tcp_fin 3, tcp_rst 4, udp 5, icmp 6, active 7, maximum_life 8, forced 9, max_flows 10
a record (least, mean, most): packets 1, 12.5, 900; 46 B, 3.00 kB, 1.00 MB; 0 us, 2.5 s, 1m00s

protocol  records  packets   octets  mean octets  mean life  longest
tcp         1,000   20,000  5.00 MB      5.00 kB      3.5 s    1m00s
udp           700    1,250   100 kB        143 B      1.2 s   30.0 s

collector       state  records  delivered  queued  dropped  datagrams  errors
127.0.0.1:2055  up         500        490       7        3         21       2

dumps: 71 written, 72 failed, 73 wait
  the disk of the dumps is full
  74 dumps are lost
the ledger balances
)");
}

TEST(RenderProfile, tells_where_ticks_and_workers_spend_their_time) {
  const std::string text = render_profile(test::sample_status());
  EXPECT_THAT(text, HasSubstr("drain_merge"));
  EXPECT_THAT(text, HasSubstr("33.3 %"));  // of 751 ms of all steps, 250 ms
  EXPECT_THAT(text, HasSubstr("66.6 %"));
  EXPECT_THAT(text, HasSubstr("parse_hash"));
  EXPECT_THAT(text, HasSubstr("38.1 %"));  // counting: 4 of 10.505 s
}

TEST(RenderProfile, says_how_to_have_the_workers_measured) {
  EXPECT_THAT(render_profile(Status{}), HasSubstr("--profile-ticks"));
}

TEST(RenderStatus, stands_with_nothing_in_it) {
  const std::string text = render_status(Status{}, kPlain);
  EXPECT_THAT(text, HasSubstr("ended: none yet"));
  EXPECT_THAT(text, HasSubstr("no collectors"));
}

TEST(RenderFlows, shows_rates_of_the_last_tick) {
  EXPECT_EQ(
      render_flows(test::sample_active_flows(), kPlain),
      R"(source             destination              proto  packets  octets         rate  packet rate     age
192.0.2.1:1000     198.51.100.2:53          udp          2   120 B  1.00 Mbit/s     10 pkt/s  250 ms
[2001:db8::1]:443  [2001:db8:0:1::2]:50000  tcp          2   120 B  48.0 kbit/s      4 pkt/s  250 ms
ether 0x88cc                                -            2     0 B      0 bit/s      1 pkt/s  250 ms
3 of 61,234 active flows
)");
}

TEST(RenderMonitors, shows_groups_below_their_monitor_and_how_the_quota_stands) {
  const std::string text = render_monitors(test::sample_monitors(), kPlain);
  EXPECT_THAT(text, HasSubstr("web           500 kB  400 kB  80.0 kB    1,000     17  40.0 kbit/s  "
                              "560 kbit/s  warning: 850 kB of 1.00 MB, 2.00 MB expected\n"));
  EXPECT_THAT(text, HasSubstr("\n  192.0.2.1  4.00 kB     2 B      5 B       40      3\n"));
  EXPECT_THAT(text, HasSubstr("\n  other      3.00 kB"));
  EXPECT_THAT(render_monitors({}, kPlain), HasSubstr("has no monitors"));
}

TEST(RenderTop, shows_shares_that_add_up) {
  EXPECT_EQ(render_top(test::sample_top_rows(), {"host", 160, false}, kPlain),
            R"(host              rate  packet rate   share   octets  flows
192.0.2.1  3.00 Mbit/s      5 pkt/s  75.0 %  8.00 MB      3
other      1.00 Mbit/s      2 pkt/s  25.0 %  2.00 MB      9
)");
}

TEST(RenderTop, draws_bars_and_cuts_long_names_to_the_screen) {
  TopRows rows = test::sample_top_rows();
  rows.rows[0].name = std::string(100, 'a') + "END";
  const std::string text = render_top(rows, {"flow", 110, true}, kPlain);
  EXPECT_THAT(text, HasSubstr("███████████████\n"));  // 15 of 20
  EXPECT_THAT(text, HasSubstr("…"));
  EXPECT_THAT(text, HasSubstr("END  "));
}

TEST(RenderTop, says_that_nothing_came) {
  EXPECT_THAT(render_top({}, {"flow", 80, false}, kPlain), HasSubstr("nothing was metered"));
}

TEST(Style, has_no_escape_codes_unless_it_is_on) {
  EXPECT_EQ(kPlain.bad("x"), "x");
  EXPECT_THAT(render_status(test::sample_status(), Style::of(-1)), Not(HasSubstr("\033")));
}

TEST(HumanText, groups_digits) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(18'446'744'073'709'551'615u), "18,446,744,073,709,551,615");
}

TEST(HumanText, keeps_three_figures) {
  EXPECT_EQ(octets_text(0), "0 B");
  EXPECT_EQ(octets_text(999), "999 B");
  EXPECT_EQ(octets_text(1000), "1.00 kB");
  EXPECT_EQ(octets_text(9'999), "10.0 kB");
  EXPECT_EQ(octets_text(99'960), "100 kB");
  EXPECT_EQ(octets_text(999'600), "1.00 MB");
  EXPECT_EQ(bit_rate_text(9'412'000'000.0), "9.41 Gbit/s");
  EXPECT_EQ(packet_rate_text(14'880'952), "14.9 Mpkt/s");
}

TEST(HumanText, tells_durations_by_their_size) {
  EXPECT_EQ(seconds_text(0.0000421), "42 us");
  EXPECT_EQ(seconds_text(0.0042), "4.20 ms");
  EXPECT_EQ(seconds_text(0.25), "250 ms");
  EXPECT_EQ(seconds_text(42), "42.0 s");
  EXPECT_EQ(seconds_text(192), "3m12s");
  EXPECT_EQ(seconds_text(3720), "1h02m");
  EXPECT_EQ(seconds_text(183'600), "2d03h");
}

TEST(HumanText, tells_times_in_utc_on_both_sides_of_1970) {
  EXPECT_EQ(utc_text(0), "1970-01-01 00:00:00.000 UTC");
  EXPECT_EQ(utc_text(1'700'000'000'999'000'000), "2023-11-14 22:13:20.999 UTC");
  EXPECT_EQ(utc_text(-1'000'000), "1969-12-31 23:59:59.999 UTC");
}

TEST(TextTable, aligns_by_characters_not_octets) {
  TextTable table({{"name"}, {"n", Align::kRight}});
  table.add_row({"größe", "1"});
  table.add_row({"size", "22"});
  EXPECT_EQ(table.text(), "name    n\ngröße   1\nsize   22\n");
}

TEST(ProgressBar, tells_share_rate_and_time_left) {
  EXPECT_EQ(progress_text({250, 1000, 5'000'000}, 5, 100),
            "[##########..............................]  25 %  5,000,000 packets, 1.00 Mpkt/s, "
            "15.0 s left");
}

TEST(ProgressBar, fits_narrow_terminals_and_unknown_lengths) {
  EXPECT_LE(progress_text({250, 1000, 5'000'000}, 5, 60).size(), 60u);
  EXPECT_EQ(progress_text({250, 0, 1000}, 1, 80), "1,000 packets, 1.00 kpkt/s");
  EXPECT_THAT(progress_text({2000, 1000, 1}, 1, 80), HasSubstr("100 %"));
}

}  // namespace
}  // namespace wiretally

// Pushing, by the rules of docs/api/kernle.md. "D1" and so on number the known faults of the original.
#include <algorithm>

#include "support/kernle_fixture.hpp"

namespace syncline {
namespace {

using test::Answer;
using test::KernleOperation;
using test::label;

class KernlePushTest : public test::KernleFixture {
 protected:
  std::string device_ = log_in();
  std::string other_ = log_in();
};

TEST_F(KernlePushTest, one_body_has_the_documented_and_the_actual_members) {
  const Answer answer = push(device_, {{"n1", R"({"content":"a"})", "10:00:00"}, {"n2", "", "10:00:00"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.at("success"), "true");
  EXPECT_EQ(answer.at("data.pushed"), "2");
  EXPECT_EQ(answer.at("data.failed"), "0");
  EXPECT_EQ(answer.at("data.remaining"), "0");
  EXPECT_EQ(answer.at("data.results.0.record_id"), "n1");
  EXPECT_EQ(answer.at("data.results.0.status"), "synced");
  EXPECT_EQ(answer.at("data.results.0.remote_id"), "cloud_n1");
  EXPECT_EQ(answer.at("data.results.0.version"), "1");
  EXPECT_EQ(answer.at("synced"), "2");
  EXPECT_EQ(answer.at("conflicts"), "[]");
  EXPECT_EQ(answer.at("acknowledged_operations"),
            R"([{"table":"notes","record_id":"n1"},{"table":"notes","record_id":"n2"}])");
  EXPECT_EQ(answer.at("server_time"), "2026-11-22T12:00:00.000000Z");
  EXPECT_EQ(answer.at("cursor"), "e1.2");
  EXPECT_EQ(answer.at("meta.request_id"), "test-request");
}

TEST_F(KernlePushTest, the_version_rises_with_every_accepted_change) {
  const std::int64_t first =
      std::stoll(push(device_, {{"n1", R"({"content":"a"})", "10:00:00"}}).at("data.results.0.version"));
  push(device_, {{"n2", R"({"content":"x"})", "10:00:00"}});
  const std::int64_t second =
      std::stoll(push(device_, {{"n1", R"({"content":"b"})", "10:01:00"}}).at("data.results.0.version"));
  EXPECT_GT(second, first);
}

TEST_F(KernlePushTest, D1_D17_an_unknown_table_or_verb_rejects_only_its_operation) {
  const Answer answer = push(device_, {{"n1", R"({"content":"a"})", "10:00:00"},
                                       {"v1", R"({"name":"n"})", "10:00:00", "agent_values"},
                                       {"m1", R"({"x":1})", "10:00:00", "memory_suggestions"},
                                       {"n2", R"({"content":"b"})", "10:00:00", "notes", "merge"},
                                       {"n3", "", "10:00:00", "notes", "update"},
                                       {"n4", "7", "10:00:00"},
                                       {"", R"({"content":"c"})", "10:00:00"},
                                       {"r1", R"({"content":"raw"})", "10:00:00", "raw_entries"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.at("synced"), "3");
  EXPECT_EQ(answer.at("data.failed"), "5");
  EXPECT_EQ(answer.at("conflicts.0.table"), "memory_suggestions");
  EXPECT_EQ(answer.at("conflicts.0.record_id"), "m1");
  EXPECT_EQ(answer.at("conflicts.0.operation"), "update");
  EXPECT_NE(answer.at("conflicts.0.error").find("memory_suggestions"), std::string::npos);
  EXPECT_EQ(answer.at("conflicts.1.error"), "operation must be update, upsert, insert or delete");
  EXPECT_EQ(answer.at("conflicts.2.error"), "data is missing");
  EXPECT_EQ(answer.at("conflicts.3.error"), "data must be an object");
  EXPECT_EQ(answer.at("conflicts.4.error"), "record_id is missing");
  // Names as they were sent: a client looks up its queue by them.
  EXPECT_EQ(answer.at("acknowledged_operations.1.table"), "agent_values");
  EXPECT_EQ(answer.at("acknowledged_operations.2.table"), "raw_entries");
}

TEST_F(KernlePushTest, both_names_of_a_table_refer_to_the_same_table) {
  push(device_, {{"v1", R"({"name":"old"})", "10:00:00", "agent_values"}});
  push(device_, {{"v1", R"({"name":"new"})", "11:00:00", "values"}});
  const Answer all = pull(api_key_);
  EXPECT_EQ(all.at("operations.0.table"), "values");
  EXPECT_EQ(all.at("operations.0.data.name"), "new");
  EXPECT_EQ(all.at("operations.1"), "(none)");
}

TEST_F(KernlePushTest, accepts_all_four_verbs_and_both_agent_members) {
  EXPECT_EQ(push(device_, {{"a", R"({"content":"1"})", "10:00:00", "notes", "insert"},
                           {"b", R"({"content":"2"})", "10:00:00", "notes", "upsert"}})
                .at("synced"),
            "2");
  const Answer old = request(device_, "/sync/push", R"({"agent_id":"claire","operations":[]})");
  EXPECT_EQ(old.status, 200);
  EXPECT_EQ(old.at("synced"), "0");
  EXPECT_EQ(request(device_, "/sync/push", R"({"operations":[]})").status, 400);
  EXPECT_EQ(request(device_, "/sync/push", R"({"stack_id":"a","agent_id":"b","operations":[]})").status, 400);
  EXPECT_EQ(request(device_, "/sync/push", R"({"stack_id":"claire"})").status, 400);
}

TEST_F(KernlePushTest, D2_the_later_edit_wins_even_if_the_earlier_one_arrives_last) {
  push(other_, {{"n1", R"({"content":"at eleven"})", "11:00:00"}});
  const Answer late = push(device_, {{"n1", R"({"content":"at ten"})", "10:00:00"}});
  EXPECT_EQ(late.at("data.results.0.status"), "stale");
  EXPECT_EQ(late.at("synced"), "1") << "it is in the hub's hands: the device may forget it";
  EXPECT_EQ(late.at("conflicts"), "[]");
  EXPECT_EQ(late.at("merges.0.resolution"), "cloud_wins");
  EXPECT_EQ(field("n1", "content"), "at eleven");
  // D31: what lost is kept, and can be had back.
  const Answer list = conflicts();
  EXPECT_EQ(list.at("conflicts.0.id"), late.at("merges.0.conflict_id"));
  EXPECT_EQ(list.at("conflicts.0.loser.doc.content"), "at ten");
  EXPECT_EQ(list.at("conflicts.0.rule"), "later_stamp");
  EXPECT_EQ(list.at("conflicts.0.loser_key_label"), "kernle");
  post("/v1/spaces/kernle%2Fclaire/conflicts/" + list.at("conflicts.0.id"), R"({"action":"restore"})");
  EXPECT_EQ(field("n1", "content"), "at ten");
}

TEST_F(KernlePushTest, lists_merge_to_a_union_whichever_version_wins) {
  push(other_,
       {{"e1", R"({"objective":"o","outcome":"late","lessons":["b","a"],"tags":["x"]})", "11:00:00", "episodes"}});
  const Answer merged =
      push(device_, {{"e1", R"({"objective":"o","outcome":"early","lessons":["c","a"]})", "10:00:00", "episodes"}});
  EXPECT_EQ(merged.at("data.results.0.status"), "merged");
  EXPECT_EQ(merged.at("merges.0.resolution"), "cloud_wins_arrays_merged");
  EXPECT_EQ(field("e1", "outcome"), "late");
  EXPECT_EQ(field("e1", "lessons"), R"(["b","a","c"])");
  EXPECT_EQ(field("e1", "tags"), R"(["x"])");
  // An array that is no set of the table is a value like any other.
  push(other_, {{"g1", R"({"title":"t","steps":["1"]})", "11:00:00", "goals"}});
  push(device_, {{"g1", R"({"title":"t","steps":["2"]})", "11:30:00", "goals"}});
  EXPECT_EQ(field("g1", "steps"), R"(["2"])");
}

TEST_F(KernlePushTest, a_union_has_at_most_500_items_and_the_winners_come_first) {
  const auto items = [](int from, int count) {
    std::string list = "[";
    for (int i = from; i < from + count; ++i) list += (i == from ? "\"" : ",\"") + std::to_string(i) + '"';
    return list + "]";
  };
  push(other_, {{"n1", R"({"content":"c","tags":)" + items(0, 499) + "}", "10:00:00"}});
  push(device_, {{"n1", R"({"content":"d","tags":)" + items(1000, 10) + "}", "11:00:00"}});
  const std::string tags = field("n1", "tags");
  EXPECT_EQ(std::ranges::count(tags, ','), 499);
  EXPECT_NE(tags.find("\"1009\""), std::string::npos);
  EXPECT_EQ(tags.find("\"495\""), std::string::npos);
}

TEST_F(KernlePushTest, D11_null_never_erases_and_created_at_keeps_the_earliest) {
  push(other_, {{"e1",
                 R"({"objective":"o","outcome":"a","context":"where","confidence":0.95,"emotional_valence":0.7,)"
                 R"("created_at":"2026-11-01T08:00:00+00:00"})",
                 "10:00:00", "episodes"}});
  // What a device makes of the record when it takes it over from a pull, and then edits.
  const Answer back =
      push(device_, {{"e1",
                      R"({"objective":"o","outcome":"b","context":null,"confidence":0.8,)"
                      R"("emotional_valence":0.0,"emotional_tags":[],"created_at":"2026-11-22T10:30:00+00:00"})",
                      "11:00:00", "episodes"}});
  EXPECT_EQ(back.at("data.results.0.status"), "merged");
  EXPECT_EQ(field("e1", "outcome"), "b");
  EXPECT_EQ(field("e1", "context"), "where");
  EXPECT_EQ(field("e1", "created_at"), "2026-11-01T08:00:00+00:00");
  EXPECT_EQ(field("e1", "confidence"), "0.95");
  EXPECT_EQ(field("e1", "emotional_valence"), "0.7");
  // A version that is no such rebuilt one may set a field to nought.
  push(other_,
       {{"e1", R"({"objective":"o","outcome":"b","emotional_valence":0.0,"created_at":"2026-11-01T08:00:00+00:00"})",
         "11:30:00", "episodes"}});
  EXPECT_EQ(field("e1", "emotional_valence"), "0.0");
}

TEST_F(KernlePushTest, a_forgotten_memory_stays_forgotten) {
  push(other_, {{"n1", R"({"content":"c","strength":0.9,"created_at":"2026-11-01T08:00:00+00:00"})", "10:00:00"}});
  push(device_, {{"n1", R"({"content":"c","strength":0.0,"created_at":"2026-11-22T10:30:00+00:00"})", "11:00:00"}});
  EXPECT_EQ(field("n1", "strength"), "0.0");
}

TEST_F(KernlePushTest, created_at_without_an_offset_is_utc) {
  push(other_, {{"n1", R"({"content":"c","note_type":"decision","created_at":"2026-01-01T00:00:00"})", "10:00:00"}});
  push(device_, {{"n1", R"({"content":"d","note_type":"","created_at":"2026-11-22T10:30:00+00:00"})", "11:00:00"}});
  EXPECT_EQ(field("n1", "created_at"), "2026-01-01T00:00:00");
  EXPECT_EQ(field("n1", "note_type"), "decision");
}

TEST_F(KernlePushTest, a_version_that_adds_nothing_causes_no_change_and_no_conflict) {
  push(device_, {{"n1", R"({"content":"c","context":null})", "10:00:00"}});
  const Answer again = push(device_, {{"n1", R"({"content":"c"})", "10:30:00"}});
  EXPECT_EQ(again.at("data.results.0.status"), "synced");
  EXPECT_EQ(again.at("merges"), "[]");
  EXPECT_EQ(again.at("cursor"), "e1.1");
}

TEST_F(KernlePushTest, merging_many_nulls_takes_linear_time) {
  std::string nulls;
  for (int i = 0; i < 40'000; ++i) nulls += ",\"field" + std::to_string(i) + "\":null";
  push(device_, {{"n1", R"({"content":"a")" + nulls + "}", "10:00:00"}});
  const auto began = std::chrono::steady_clock::now();
  push(device_, {{"n1", R"({"content":"b")" + nulls + "}", "11:00:00"}});
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5)) << "it took 54 s when it was quadratic";
}

TEST_F(KernlePushTest, D4_D5_deletes_may_arrive_before_or_after_their_record) {
  push(device_, {{"n1", "", "10:30:00"}});
  EXPECT_EQ(push(other_, {{"n1", R"({"content":"older"})", "10:00:00"}}).at("data.results.0.status"), "stale");
  EXPECT_EQ(field("n1", "content"), "(none)");
  EXPECT_EQ(push(other_, {{"n1", R"({"content":"newer"})", "11:00:00"}}).at("data.results.0.status"), "synced");
  EXPECT_EQ(field("n1", "content"), "newer");
  EXPECT_EQ(push(device_, {{"n1", "", "10:45:00"}}).at("data.results.0.status"), "stale");
  EXPECT_EQ(field("n1", "content"), "newer");
}

TEST_F(KernlePushTest, equal_timestamps_are_decided_the_same_in_either_order) {
  const std::string a = R"({"content":"a"})";
  const std::string b = R"({"content":"b"})";
  push(device_, {{"n1", a, "10:00:00"}, {"n2", b, "10:00:00"}});
  push(other_, {{"n1", b, "10:00:00"}, {"n2", a, "10:00:00"}});
  EXPECT_EQ(field("n1", "content"), field("n2", "content"));
}

TEST_F(KernlePushTest, D16_D22_a_repeated_push_changes_nothing_and_gets_the_same_acks) {
  const std::vector<KernleOperation> operations = {{"n1", R"({"content":"a","tags":["x"]})", "10:00:00"},
                                                   {"n1", R"({"content":"b","tags":["y"]})", "10:00:01"},
                                                   {"n2", "", "10:00:00"}};
  const Answer first = push(device_, operations);
  EXPECT_EQ(first.at("synced"), "3") << "each operation counts, also of one record";
  const std::string before = pull(api_key_).at("operations");
  const std::string head = first.at("cursor");
  const Answer again = push(device_, operations);
  EXPECT_EQ(again.at("synced"), "3");
  EXPECT_EQ(again.at("acknowledged_operations"), first.at("acknowledged_operations"));
  EXPECT_EQ(again.at("cursor"), head);
  EXPECT_EQ(pull(api_key_).at("operations"), before);
  EXPECT_EQ(field("n1", "tags"), R"(["x","y"])");
  EXPECT_EQ(conflicts().at("conflicts"), "[]");
}

TEST_F(KernlePushTest, D22_a_replay_does_not_undo_later_changes) {
  push(device_, {{"n1", R"({"content":"mine"})", "10:00:00"}});
  push(other_, {{"n1", R"({"content":"theirs"})", "11:00:00"}});
  EXPECT_EQ(push(device_, {{"n1", R"({"content":"mine"})", "10:00:00"}}).at("data.results.0.status"), "stale");
  EXPECT_EQ(field("n1", "content"), "theirs");
  EXPECT_EQ(conflicts().at("conflicts.1"), "(none)") << "the one of their overwriting it unseen, no second";
}

TEST_F(KernlePushTest, D15_rejections_do_not_shift_acknowledgements) {
  const Answer answer = push(device_, {{"n1", R"({"content":"1"})", "10:00:00"},
                                       {"n2", R"({"content":"2"})", "10:00:00", "no_table"},
                                       {"n3", R"({"content":"3"})", "10:00:00"}});
  EXPECT_EQ(answer.at("acknowledged_operations"),
            R"([{"table":"notes","record_id":"n1"},{"table":"notes","record_id":"n3"}])");
  EXPECT_EQ(answer.at("data.results.1.status"), "rejected");
}

TEST_F(KernlePushTest, D19_D20_agents_and_accounts_are_kept_apart) {
  push(device_, {{"n1", R"({"content":"claire's"})", "10:00:00"}}, "claire");
  push(device_, {{"n1", R"({"content":"bob's"})", "10:00:00"}}, "bob");
  EXPECT_EQ(contents(pull(api_key_, "", "claire")), "n1=claire's");
  EXPECT_EQ(contents(pull(api_key_, "", "bob")), "n1=bob's");
  const std::string stranger = add_key("eve@example.org", {Scope::read, Scope::write});
  EXPECT_EQ(contents(pull(stranger, "", "claire")), "");
  push(stranger, {{"n1", R"({"content":"eve's"})", "11:00:00"}}, "claire");
  EXPECT_EQ(field("n1", "content"), "claire's");
  EXPECT_EQ(pull(device_, "", "usr_1/claire").status, 200) << "clients show names as OWNER/NAME";
}

TEST_F(KernlePushTest, ids_may_repeat_across_tables) {
  const Answer answer = push(device_, {{"x", R"({"content":"n"})", "10:00:00", "notes"},
                                       {"x", R"({"statement":"b"})", "10:00:00", "beliefs"}});
  EXPECT_EQ(answer.at("synced"), "2");
  EXPECT_EQ(contents(pull(api_key_)), "x=n x=");
}

TEST_F(KernlePushTest, D21_unknown_fields_are_kept_and_server_fields_are_ignored) {
  push(device_, {{"n1",
                  R"({"id":"n1","stack_id":"claire","content":"c","new_column":{"deep":[1.0,{"k":"v"}]},"version":1,)"
                  R"("deleted":true,"is_forgotten":true,"embedding":[1,2],"cloud_synced_at":null,"strength":0.5})",
                  "10:00:00"}});
  EXPECT_EQ(pull(api_key_).at("operations.0.data"),
            R"({"content":"c","new_column":{"deep":[1.0,{"k":"v"}]},"strength":0.5})");
}

TEST_F(KernlePushTest, accepts_timestamps_in_every_spelling) {
  for (const char* at : {"2026-11-22T10:00:00.123456+00:00", "2026-11-22T10:00:00.123456Z",
                         "2026-11-22T10:00:00.123456", "2026-11-22T11:00:00.123456+01:00"}) {
    push(device_, {{at, R"({"content":"c"})", at}});
  }
  const Answer all = pull(api_key_);
  for (const char* i : {"0", "1", "2", "3"}) {
    EXPECT_EQ(all.at(std::string("operations.") + i + ".local_updated_at"), "2026-11-22T10:00:00.123456+00:00");
  }
}

TEST_F(KernlePushTest, an_operation_whose_timestamp_is_no_time_is_refused_alone) {
  const Answer answer = request(
      device_, "/sync/push",
      R"({"stack_id":"claire","operations":[)"
      R"({"operation":"update","table":"notes","record_id":"n1","local_updated_at":"yesterday","data":{"content":"a"}},)"
      R"({"operation":"update","table":"notes","record_id":"n2","local_updated_at":1795327635,"data":{"content":"b"}},)"
      R"({"operation":"update","table":"notes","record_id":"n3","data":{"content":"c","local_updated_at":""}},)"
      R"({"operation":"delete","table":"notes","record_id":"n4","local_updated_at":"2026-13-01T00:00:00Z"},)"
      R"({"operation":"update","table":"notes","record_id":"n5","local_updated_at":null,"data":{"content":"e"}}]})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.at("synced"), "1");
  EXPECT_EQ(answer.at("conflicts.0.record_id"), "n1");
  EXPECT_EQ(answer.at("conflicts.0.error"), "local_updated_at must be a time like 2026-11-22T00:10:07.004670+00:00");
  EXPECT_EQ(answer.at("conflicts.3.record_id"), "n4");
  EXPECT_EQ(field("n1", "content"), "(none)");
  EXPECT_EQ(field("n5", "content"), "e");
}

TEST_F(KernlePushTest, the_operations_timestamp_precedes_the_one_in_data) {
  push(device_, {{"n1", R"({"content":"c","local_updated_at":"2026-11-22T09:00:00Z"})", ""},
                 {"n2", R"({"content":"c","local_updated_at":null})", "10:00:00"},
                 {"n3", R"({"content":"c"})", ""}});
  const Answer all = pull(api_key_);
  EXPECT_EQ(all.at("operations.0.local_updated_at"), "2026-11-22T09:00:00.000000+00:00");
  EXPECT_EQ(all.at("operations.1.local_updated_at"), "2026-11-22T10:00:00.000000+00:00");
  EXPECT_EQ(all.at("operations.2.local_updated_at"), "2026-11-22T12:00:00.000000+00:00") << "its arrival";
}

TEST_F(KernlePushTest, a_clock_far_ahead_does_not_win_forever) {
  push(device_, {{"n1", R"({"content":"from the future"})", "2135-01-01T00:00:00+00:00"}});
  EXPECT_EQ(pull(api_key_).at("operations.0.local_updated_at"), "2135-01-01T00:00:00.000000+00:00") << "as it was sent";
  set_time("12:30:00");
  push(other_, {{"n1", R"({"content":"now"})", "12:29:00"}});
  EXPECT_EQ(field("n1", "content"), "now");
  push(device_, {{"n2", R"({"content":"c"})", "9999-12-31T23:59:59+00:00"}});
  EXPECT_EQ(field("n2", "content"), "c") << "a stamp no record can have is no reason to block a queue";
  EXPECT_EQ(pull(api_key_).at("operations.1.local_updated_at").substr(0, 4), "2200")
      << "every client can calculate with it";
}

TEST_F(KernlePushTest, D34_nan_infinity_and_lone_surrogates_are_replaced) {
  const Answer answer =
      request(device_, "/sync/push",
              R"({"stack_id":"claire","operations":[)"
              R"({"operation":"update","table":"notes","record_id":"n1","data":{"content":"NaN","x":NaN,)"
              R"("y":[-Infinity,Infinity]}},)"
              R"({"operation":"update","table":"notes","record_id":"n2","data":{"content":"\ud83d"}},)"
              R"({"operation":"update","table":"notes","record_id":"n3","data":{"content":"c","x":1e999}}]})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.at("synced"), "2");
  EXPECT_EQ(answer.at("conflicts.0.record_id"), "n3");
  EXPECT_EQ(field("n1", "content"), "NaN");
  EXPECT_EQ(field("n1", "x"), "null");
  EXPECT_EQ(field("n1", "y"), "[null,null]");
  EXPECT_EQ(field("n2", "content"), "\xEF\xBF\xBD");
  EXPECT_EQ(request(device_, "/sync/push", "{\"stack_id\":\"claire\",\"operations\":[NaNa]}").status, 400);
}

TEST_F(KernlePushTest, a_document_nested_too_deep_is_refused_by_itself) {
  const Answer answer =
      request(device_, "/sync/push",
              R"({"stack_id":"claire","operations":[)"
              R"({"operation":"update","table":"notes","record_id":"n1","data":{"content":"c","x":)" +
                  std::string(900, '[') + std::string(900, ']') +
                  R"(}},{"operation":"update","table":"notes","record_id":"n2","data":{"content":"d"}}]})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.at("synced"), "1");
  EXPECT_EQ(answer.at("conflicts.0.record_id"), "n1");
  EXPECT_EQ(field("n2", "content"), "d");
}

TEST_F(KernlePushTest, a_limit_takes_the_first_operations_and_reports_the_remaining_count) {
  const Answer answer = request(device_, "/sync/push",
                                R"({"agent_id":"claire","limit":1,"operations":[)" +
                                    KernleOperation{"n1", R"({"content":"1"})", "10:00:00"}.text() + ',' +
                                    KernleOperation{"n2", R"({"content":"2"})", "10:00:00"}.text() + "]}");
  EXPECT_EQ(answer.at("data.remaining"), "1");
  EXPECT_EQ(answer.at("synced"), "1");
  EXPECT_EQ(answer.at("acknowledged_operations"), R"([{"table":"notes","record_id":"n1"}])");
}

TEST_F(KernlePushTest, agent_names_may_use_any_script) {
  for (const char* name : {"claire", "Claire.2", "クレア", "zoë-1"}) {
    EXPECT_EQ(push(device_, {{"n1", R"({"content":"c"})", "10:00:00"}}, name).status, 200) << name;
    EXPECT_EQ(contents(pull(api_key_, "", name)), "n1=c") << name;
  }
  for (const std::string& name : {std::string("a b"), std::string("a?"), std::string("a/"), std::string(101, 'a')}) {
    EXPECT_EQ(push(device_, {}, name).status, 400) << name;
  }
  std::string longest;
  for (int i = 0; i < 100; ++i) longest += "ク";
  EXPECT_EQ(push(device_, {{"n1", R"({"content":"c"})", "10:00:00"}}, longest).status, 200);
}

TEST_F(KernlePushTest, errors_have_every_shape_that_clients_read) {
  const Answer answer = request(device_, "/sync/push", "[]");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.at("success"), "false");
  EXPECT_EQ(answer.at("error.code"), "invalid_request");
  EXPECT_EQ(answer.at("detail"), answer.at("error.message"));
  EXPECT_EQ(answer.headers.at("Content-Type"), "application/json");
}

TEST_F(KernlePushTest, ordinary_edits_of_one_device_cause_no_conflicts) {
  for (const char* at : {"10:00:00", "10:00:01", "10:00:02"}) {
    push(device_, {{"n1", std::string(R"({"content":")") + at + "\"}", at}});
  }
  pull(other_);
  push(other_, {{"n1", R"({"content":"after pulling it"})", "11:00:00"}});
  EXPECT_EQ(conflicts().at("conflicts"), "[]");
}

}  // namespace
}  // namespace syncline

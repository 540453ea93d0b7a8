// Search over memories.
#include "support/kernle_fixture.hpp"

namespace syncline {
namespace {

using test::Answer;

class KernleSearchTest : public test::KernleFixture {
 protected:
  KernleSearchTest() {
    push(
        api_key_,
        {{"e1",
          R"({"objective":"Debugged the API gateway","outcome":"The timeout was too short","lessons":["Check logs first"],"tags":["work"],"created_at":"2026-11-20T08:00:00Z"})",
          "10:00:00", "episodes"},
         {"n1", R"({"content":"The gateway has two timeouts","tags":["ops"],"created_at":"2026-11-21T08:00:00Z"})",
          "10:00:00"},
         {"r1", R"({"content":"a secret gateway password"})", "10:00:00", "raw_entries"},
         {"p1", R"({"name":"Restart the gateway","description":"d"})", "10:00:00", "playbooks"}});
    push(api_key_, {{"n9", R"({"content":"Another agent's gateway"})", "10:00:00"}}, "bob");
  }

  Answer find(const std::string& token, const std::string& query, const std::string& more = "") {
    return request(token, "/memories/search", R"({"query":")" + query + "\",\"limit\":10" + more + '}');
  }
  Answer search(const std::string& query, const std::string& more = "") {
    return request(api_key_, "/search", R"({"query":")" + query + '"' + more + '}');
  }
  static std::string ids(const Answer& answer, std::string_view list) {
    std::string out;
    std::string results = answer.at(list);
    if (results == "(none)") return results;
    JsonView(results).for_each_element([&](JsonView hit) { out += (out.empty() ? "" : " ") + hit.text_of("id"); });
    return out;
  }
};

TEST_F(KernleSearchTest, answers_in_the_shape_that_clients_read) {
  const Answer answer = find(api_key_, "debugged timeout");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.at("results.0.id"), "e1");
  EXPECT_EQ(answer.at("results.0.memory_type"), "episodes");
  EXPECT_EQ(answer.at("results.0.content"), "Debugged the API gateway\nThe timeout was too short");
  EXPECT_EQ(answer.at("results.0.created_at"), "2026-11-20T08:00:00.000000+00:00");
  EXPECT_EQ(answer.at("results.0.metadata.tags"), R"(["work"])");
  EXPECT_EQ(answer.at("query"), "debugged timeout");
  EXPECT_EQ(answer.at("total"), "1");
}

TEST_F(KernleSearchTest, finds_list_items_prefixes_and_partial_matches) {
  EXPECT_EQ(ids(find(api_key_, "logs"), "results"), "e1");
  EXPECT_EQ(ids(find(api_key_, "debu"), "results"), "e1") << "the last word may be unfinished";
  EXPECT_EQ(ids(find(api_key_, "debu* tim"), "results"), "e1");
  EXPECT_EQ(ids(find(api_key_, "debugged elephants"), "results"), "e1");
  EXPECT_EQ(ids(find(api_key_, "GATEWAY timeouts"), "results"), "n1");
}

TEST_F(KernleSearchTest, D27_a_search_without_hits_is_404_so_that_clients_search_locally) {
  EXPECT_EQ(find(api_key_, "elephants").status, 404);
  const Answer documented = search("elephants");
  EXPECT_EQ(documented.status, 200);
  EXPECT_EQ(documented.at("data.total"), "0");
}

TEST_F(KernleSearchTest, D27_a_session_searches_its_own_agents) {
  const std::string session = log_in();
  EXPECT_EQ(find(session, "another gateway").status, 200) << "it has not said yet which are its own";
  pull(session, "", "claire");
  EXPECT_EQ(ids(find(session, "another agent"), "results"), "(none)");
  EXPECT_EQ(ids(find(session, "gateway"), "results").find("n9"), std::string::npos);
  EXPECT_EQ(ids(find(session, "another agent", R"(,"stack_id":"bob")"), "results"), "n9");
}

TEST_F(KernleSearchTest, search_by_table_omits_raw_captures_unless_requested) {
  EXPECT_EQ(ids(find(api_key_, "password"), "results"), "(none)");
  EXPECT_EQ(ids(find(api_key_, "password", R"(,"memory_types":["raw_captures"])"), "results"), "r1");
  EXPECT_EQ(ids(find(api_key_, "gateway", R"(,"memory_types":["note"],"stack_id":"claire")"), "results"), "n1");
  EXPECT_EQ(find(api_key_, "gateway", R"(,"memory_types":["nothing"])").status, 400);
}

TEST_F(KernleSearchTest, the_documented_search_applies_its_filters) {
  EXPECT_EQ(ids(search("gateway", R"(,"agent_id":"bob")"), "data.results"), "n9");
  EXPECT_EQ(ids(search("gateway", R"(,"types":["playbooks"])"), "data.results"), "p1");
  EXPECT_EQ(ids(search("gateway", R"(,"tags":["ops"])"), "data.results"), "n1");
  EXPECT_EQ(ids(search("gateway", R"(,"created_before":"2026-11-20T12:00:00Z")"), "data.results"), "e1");
  EXPECT_EQ(ids(search("gateway", R"(,"created_after":"2026-11-20T12:00:00Z")"), "data.results"), "n1");
  EXPECT_EQ(ids(search("gateway", R"(,"min_score":1)"), "data.results"), "");
  const Answer answer = search("debugged");
  EXPECT_EQ(answer.at("data.results.0.content.objective"), "Debugged the API gateway");
  EXPECT_EQ(answer.at("data.results.0.type"), "episode");
  EXPECT_EQ(search("gateway", R"(,"limit":0)").status, 400);
  EXPECT_EQ(search("").status, 400);
}

TEST_F(KernleSearchTest, the_index_follows_edits_and_deletes_at_once) {
  EXPECT_EQ(ids(find(api_key_, "debugged"), "results"), "e1");
  push(api_key_, {{"e1", R"({"objective":"Rewrote it"})", "11:00:00", "episodes"}, {"n1", "", "11:00:00"}});
  EXPECT_EQ(ids(find(api_key_, "debugged"), "results"), "(none)");
  EXPECT_EQ(ids(find(api_key_, "rewrote"), "results"), "e1");
  EXPECT_EQ(ids(find(api_key_, "timeouts"), "results"), "(none)");
}

TEST_F(KernleSearchTest, search_is_limited_to_the_account_and_queries_have_no_syntax) {
  const std::string eve = add_key("eve@example.org", {Scope::read, Scope::write});
  EXPECT_EQ(find(eve, "gateway").status, 404);
  for (const char* odd :
       {"\\\" OR memory_1", "title : gateway", "NEAR(a b)", "gateway^", "* *", "'); DROP TABLE entry;", "()"}) {
    const int status = find(eve, odd).status;
    EXPECT_TRUE(status == 404) << odd << " " << status;
  }
  push(eve, {{"n1", R"({"content":"gateway of eve"})", "10:00:00"}});
  EXPECT_EQ(ids(find(eve, "gateway"), "results"), "n1");
  EXPECT_EQ(find(eve, "gateway").at("results.0.content"), "gateway of eve");
}

TEST_F(KernleSearchTest, search_ignores_accents) {
  push(api_key_, {{"n2", R"({"content":"Zoë schätzt Überraschungen"})", "10:00:00"}});
  EXPECT_EQ(ids(find(api_key_, "schatzt"), "results"), "n2");
  EXPECT_EQ(ids(find(api_key_, "überraschungen"), "results"), "n2");
}

}  // namespace
}  // namespace syncline

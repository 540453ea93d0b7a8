// A face beside those of the program: what its module says is what the hub does with it.
#include "api/route_builder.hpp"
#include "support/api_fixture.hpp"

namespace syncline {
namespace {

constexpr std::string_view kSchema = R"({"type":"object","required":["id"]})";
constexpr std::string_view kSchemas = R"({"Note":{"type":"object","required":["id"]}})";

const api::ErrorFormat kErrors{[](JsonWriter& writer, const api::Problem& problem, std::string_view request_id) {
                                 writer.string("oops", problem.detail + " in " + std::string(request_id));
                               },
                               "application/x-notes", "NotesProblem", R"("oops":{"type":"string"})"};

struct Calls {
  int started = 0;
  int seconds = 0;
  int hours = 0;
};

class NotesFace final : public api::Face {
 public:
  explicit NotesFace(Calls& calls) : calls_(calls) {}

  std::vector<api::Route> make_routes() override {
    api::RouteBuilder routes(*this, "notes", kErrors);
    routes.all().body_at_most(10);
    routes.all().with_schemas(kSchemas);
    routes.get("/notes/recent", Scope::read, "Show the latest note", &NotesFace::say, "the latest")
        .answers(200, "the note", "Note");
    routes.get("/notes/oldest", Scope::read, "Show the oldest note", &NotesFace::say, "the oldest")
        .answers(200, "the note", "Note");
    routes.get("/notes/{id}", Scope::read, "Show a note", &NotesFace::get_note)
        .answers(200, "the note", "Note")
        .answers(404, "unknown");
    routes.put("/notes/{id}", Scope::write, "Write a note", &NotesFace::get_note)
        .body("the note", kSchema)
        .answers(200, "the note", "Note");
    return routes.take();
  }
  Result<> start() override {
    ++calls_.started;
    return {};
  }
  void each_second() override { ++calls_.seconds; }
  Result<> each_hour() override {
    ++calls_.hours;
    return fail(ErrorCode::busy, "not now");
  }

 private:
  void get_note(const api::CallPtr& call) {
    if (call->param("id") == "none") return call->fail(Error{ErrorCode::not_found, "no such note"});
    call->respond_json(200, R"({"id":")" + call->param("id") + "\"}");
  }
  void say(const api::CallPtr& call, std::string_view what) {
    call->respond_json(200, R"({"id":")" + std::string(what) + "\"}");
  }

  Calls& calls_;
};

api::FaceModule make_module(Calls& calls) {
  SpaceRules rules;
  rules.collections["notes"].check = [](const Op&) -> Result<> {
    return fail(ErrorCode::invalid_document, "notes come through /notes alone");
  };
  return {.name = "notes",
          .prefixes = {"/a", "/b"},
          .space_rules = {{"notes", std::move(rules)}},
          .make = [&calls](const api::FaceParts&) { return std::make_unique<NotesFace>(calls); }};
}

/// Apart, because the modules are made before the fixture's members.
struct WithCalls {
  Calls calls_;
};

class FaceTest : private WithCalls, public test::ApiFixture {
 protected:
  FaceTest() : ApiFixture({}, {make_module(calls_)}) {}

  [[nodiscard]] const Calls& calls() const { return calls_; }
};

TEST_F(FaceTest, its_routes_are_served_as_they_are_and_under_its_prefixes) {
  for (const char* target : {"/notes/7", "/a/notes/7", "/b/notes/7"}) EXPECT_EQ(get(target).at("id"), "7") << target;
  EXPECT_EQ(get("/c/notes/7").status, 404);
}

TEST_F(FaceTest, the_first_route_that_fits_carries_a_request_out) {
  EXPECT_EQ(get("/notes/recent").at("id"), "the latest");
  EXPECT_EQ(get("/notes/oldest").at("id"), "the oldest");
}

TEST_F(FaceTest, its_errors_have_its_members) {
  const test::Answer answer = get("/notes/none");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.headers.at("Content-Type"), "application/x-notes");
  EXPECT_EQ(answer.at("oops"), "no such note in test-request");
  EXPECT_EQ(answer.at("error"), "(none)") << "that member is another face's";
  EXPECT_EQ(call({.target = "/notes/7"}).at("oops"), "a bearer token is needed in test-request");
}

TEST_F(FaceTest, its_schemas_are_part_of_the_api_description) {
  const test::Answer answer = get("/openapi.json");
  const std::string note = "paths./notes/{id}.";
  EXPECT_EQ(answer.at(note + "get.responses.200.content.application/json.schema.$ref"), "#/components/schemas/Note");
  EXPECT_EQ(answer.at(note + "get.responses.404.content.application/x-notes.schema.$ref"),
            "#/components/schemas/NotesProblem");
  EXPECT_EQ(answer.at("components.schemas.Note"), kSchema);
  EXPECT_EQ(answer.at("components.schemas.NotesProblem.properties.oops.type"), "string");
  EXPECT_EQ(answer.at(note + "put.requestBody.content.application/json.schema"), kSchema);
  EXPECT_EQ(answer.at("paths./b/notes/{id}.put.requestBody.description"), "the note");
}

TEST_F(FaceTest, its_rules_hold_on_every_route_into_its_space) {
  const auto pushed = post("/v1/spaces/notes/push", R"({"ops":[{"collection":"notes","id":"1","doc":{}}]})");
  EXPECT_EQ(pushed.at("results.0.error.detail"), "notes come through /notes alone");
}

TEST_F(FaceTest, is_started_and_woken) {
  EXPECT_EQ(calls().started, 1);
  each_second();
  each_second();
  EXPECT_EQ(calls().seconds, 2);
  EXPECT_FALSE(each_hour());
  EXPECT_EQ(calls().hours, 1);
}

}  // namespace
}  // namespace syncline

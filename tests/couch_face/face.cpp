#include "couch_face/face.hpp"

#include <algorithm>

#include "api/route_builder.hpp"
#include "base/json_object.hpp"
#include "base/text.hpp"

namespace syncline::couch {
namespace {

constexpr std::string_view kSpacePrefix = "couch/";
constexpr std::string_view kDocs = "docs";
constexpr std::string_view kLocal = "local";
constexpr std::int64_t kChangesMax = 1000;

/// {"error": code, "reason": detail}, beside what every error has.
void append_error(JsonWriter& writer, const api::Problem& problem, std::string_view /*request_id*/) {
  writer.string("error", problem.status == 404 ? "not_found" : problem.code).string("reason", problem.detail);
}
constexpr api::ErrorFormat kErrors{append_error, "application/json", "CouchProblem",
                                   R"("error":{"type":"string"},"reason":{"type":"string"})"};

constexpr std::string_view kSchemas = R"({
"CouchDatabase": {"type": "object", "required": ["db_name", "update_seq"], "properties": {
  "db_name": {"type": "string"}, "update_seq": {"type": "integer"}}},
"CouchChanges": {"type": "object", "required": ["results", "last_seq"], "properties": {
  "results": {"type": "array", "items": {"type": "object", "required": ["seq", "id", "changes"], "properties": {
    "seq": {"type": "integer"}, "id": {"type": "string"}, "deleted": {"type": "boolean"},
    "changes": {"type": "array", "items": {"type": "object", "properties": {"rev": {"type": "string"}}}}}}},
  "last_seq": {"type": "integer"}}},
"CouchRevisions": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
"CouchMissing": {"type": "object", "additionalProperties": {"type": "object", "required": ["missing"], "properties": {
  "missing": {"type": "array", "items": {"type": "string"}}}}},
"CouchWanted": {"type": "object", "required": ["docs"], "properties": {"docs": {"type": "array", "items": {
  "type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "rev": {"type": "string"}}}}}},
"CouchFound": {"type": "object", "required": ["results"], "properties": {"results": {"type": "array", "items": {
  "type": "object", "required": ["id", "docs"], "properties": {
    "id": {"type": "string"}, "docs": {"type": "array", "items": {"type": "object"}}}}}}},
"CouchDocument": {"type": "object"},
"CouchPush": {"type": "object", "required": ["docs", "new_edits"], "properties": {
  "docs": {"type": "array", "items": {"type": "object"}}, "new_edits": {"const": false}}},
"CouchStored": {"type": "object", "required": ["ok", "id", "rev"], "properties": {
  "ok": {"const": true}, "id": {"type": "string"}, "rev": {"type": "string"}}}
})";

/// "<generation>-<hash>": the higher generation wins, then the greater hash.
struct Revision {
  std::int64_t generation = 0;
  std::string_view hash;
  auto operator<=>(const Revision&) const = default;
};

Result<Revision> parse_revision(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto generation = parse_integer(text.substr(0, dash));
  if (dash == std::string_view::npos || !generation || *generation < 1) {
    return fail(ErrorCode::invalid_argument, "'" + std::string(text) + "' is not a revision");
  }
  return Revision{*generation, text.substr(dash + 1)};
}

bool is_deleted(JsonView doc) {
  const auto deleted = doc.find("_deleted");
  return deleted && deleted->as_boolean().value_or(false);
}

/// True if the stored document is that revision or has it among its ancestors.
bool knows(JsonView stored, std::string_view revision) {
  if (stored.text_of("_rev") == revision) return true;
  const auto revisions = stored.find("_revisions");
  if (!revisions) return false;
  std::int64_t generation = JsonObject(*revisions).integer_of("start").value_or(0);
  bool found = false;
  if (const auto ids = revisions->find("ids")) {
    ids->for_each_element([&](JsonView id) {
      found = found || std::to_string(generation--) + '-' + id.as_string().value_or("") == revision;
    });
  }
  return found;
}

/// In a transaction: stores the revision if it wins over what is there, else keeps it as a conflict.
Result<> store_revision(SpaceWriter& writer, JsonView doc) {
  const std::string id = doc.text_of("_id");
  const std::string text = doc.text_of("_rev");
  CHECK_OK(check_record_id(id));
  TRY(const Revision revision, parse_revision(text));
  TRY(const auto stored, writer.txn().find(kDocs, id));
  Record record{.collection = std::string(kDocs),
                .id = id,
                .updated_at = writer.now(),
                .effective_at = writer.now(),
                .origin = writer.author().key,
                .rule = Rule::direct,
                .deleted = is_deleted(doc),
                .doc = std::string(doc.raw())};
  if (stored) {
    const JsonView before(stored->doc);
    if (knows(before, text)) return {};
    const std::string current = before.text_of("_rev");
    TRY(const Revision standing, parse_revision(current));
    if (revision < standing) return writer.keep_version(record, Rule::greater_hash);
  }
  TRY([[maybe_unused]] const Seq seq, writer.put(std::move(record), stored ? &*stored : nullptr));
  return {};
}

class Face final : public api::Face {
 public:
  explicit Face(const api::FaceParts& parts) : spaces_(parts.spaces) {}

  std::vector<api::Route> make_routes() override {
    api::RouteBuilder routes(*this, "couch", kErrors);
    routes.all().with_schemas(kSchemas).in_space_of_path("db", kSpacePrefix);
    for (const std::string_view path : {"/couch/{db}", "/couch/{db}/"}) {
      routes.get(path, {Scope::read}, "Show a database", &Face::get_database)
          .answers(200, "name and update_seq", "CouchDatabase");
    }
    routes.get("/couch/{db}/_changes", {Scope::read}, "List documents that changed", &Face::get_changes)
        .query("since", "a last_seq; 0 if absent")
        .query("limit", "at most so many, up to 1000")
        .answers(200, "a page of changes", "CouchChanges");
    routes.post("/couch/{db}/_revs_diff", {Scope::read}, "Find revisions that are missing", &Face::compare_revisions)
        .body("document ids, each with a list of revisions", "CouchRevisions")
        .answers(200, "the missing revisions of each document", "CouchMissing");
    routes.post("/couch/{db}/_bulk_get", {Scope::read}, "Read several documents", &Face::get_documents)
        .body("docs: [{id, rev}]", "CouchWanted")
        .answers(200, "the documents", "CouchFound");
    routes.post("/couch/{db}/_bulk_docs", {Scope::write}, "Store revisions", &Face::store_documents)
        .body("docs with _id, _rev and _revisions; new_edits: false", "CouchPush")
        .body_at_most(limits::kBodyBytesLarge)
        .answers(201, "an empty list", R"({"type":"array","maxItems":0})");
    routes.get("/couch/{db}/_local/{id}", {Scope::read}, "Read a checkpoint", &Face::get_checkpoint)
        .answers(200, "the document", "CouchDocument")
        .answers(404, "unknown");
    routes.put("/couch/{db}/_local/{id}", {Scope::write}, "Store a checkpoint", &Face::put_checkpoint)
        .body("the document", "CouchDocument")
        .answers(201, "stored", "CouchStored");
    return routes.take();
  }

 private:
  static const SpaceName& space_of(const api::Call& call) { return call.space(); }

  void get_database(const api::CallPtr& call) {
    std::string body;
    JsonWriter(body)
        .begin_object()
        .string("db_name", call->param("db"))
        .integer("update_seq", spaces_.head(space_of(*call)).value)
        .end_object();
    call->respond_json(200, std::move(body));
  }

  void get_changes(const api::CallPtr& call) {
    TRY_CALL(call, const std::int64_t since, call->query_integer("since", 0, INT64_MAX, 0));
    TRY_CALL(call, const std::int64_t limit, call->query_integer("limit", 1, kChangesMax, kChangesMax));
    std::string body;
    JsonWriter writer(body);
    std::int64_t last = since;
    std::int64_t count = 0;
    writer.begin_object().name("results").begin_array();
    CHECK_CALL(call, spaces_.read(space_of(*call), [&](Snapshot& snapshot) {
      return snapshot.feed({since}, [&](const RecordView& record) {
        if (count == limit) return false;
        last = record.seq.value;
        if (record.collection != kDocs) return true;
        ++count;
        writer.begin_object().integer("seq", last).string("id", record.id).name("changes").begin_array();
        writer.begin_object().string("rev", JsonView(record.doc).text_of("_rev")).end_object().end_array();
        if (record.deleted) writer.boolean("deleted", true);
        writer.end_object();
        return true;
      });
    }));
    writer.end_array().integer("last_seq", last).end_object();
    call->respond_json(200, std::move(body));
  }

  void compare_revisions(const api::CallPtr& call) {
    TRY_CALL(call, const JsonView asked, call->json_object());
    std::string body;
    JsonWriter writer(body);
    writer.begin_object();
    CHECK_CALL(call, spaces_.read(space_of(*call), [&](Snapshot& snapshot) -> Result<> {
      Result<> outcome;
      asked.for_each_member([&](std::string_view id, JsonView revisions) {
        const auto stored = snapshot.find(kDocs, id);
        if (!stored) outcome = std::unexpected(stored.error());
        if (!outcome) return;
        std::vector<std::string> missing;
        revisions.for_each_element([&](JsonView element) {
          std::string revision = element.as_string().value_or("");
          if (!*stored || !knows(JsonView((*stored)->doc), revision)) missing.push_back(std::move(revision));
        });
        if (missing.empty()) return;
        writer.name(id).begin_object().name("missing").begin_array();
        for (const std::string& revision : missing) writer.string(revision);
        writer.end_array().end_object();
      });
      return outcome;
    }));
    writer.end_object();
    call->respond_json(200, std::move(body));
  }

  void get_documents(const api::CallPtr& call) {
    TRY_CALL(call, const JsonView asked, call->json_object());
    std::string body;
    JsonWriter writer(body);
    writer.begin_object().name("results").begin_array();
    const auto docs = asked.find("docs");
    if (!docs) return call->fail(Error{ErrorCode::invalid_argument, "docs is missing"});
    CHECK_CALL(call, spaces_.read(space_of(*call), [&](Snapshot& snapshot) -> Result<> {
      Result<> outcome;
      docs->for_each_element([&](JsonView wanted) {
        const std::string id = wanted.text_of("id");
        const auto stored = snapshot.find(kDocs, id);
        if (!stored) outcome = std::unexpected(stored.error());
        if (!outcome) return;
        writer.begin_object().string("id", id).name("docs").begin_array().begin_object();
        if (*stored) {
          writer.raw("ok", (*stored)->doc);
        } else {
          writer.name("error").begin_object().string("id", id).string("rev", wanted.text_of("rev"));
          writer.string("error", "not_found").string("reason", "missing").end_object();
        }
        writer.end_object().end_array().end_object();
      });
      return outcome;
    }));
    writer.end_array().end_object();
    call->respond_json(200, std::move(body));
  }

  void store_documents(const api::CallPtr& call) {
    TRY_CALL(call, const JsonView pushed, call->json_object());
    const auto new_edits = pushed.find("new_edits");
    if (!new_edits || new_edits->as_boolean().value_or(true)) {
      return call->fail(
          Error{ErrorCode::invalid_argument, "only replicated revisions are taken: new_edits must be false"});
    }
    const auto docs = pushed.find("docs");
    if (!docs) return call->fail(Error{ErrorCode::invalid_argument, "docs is missing"});
    spaces_.write(
        space_of(*call), call->principal().key,
        [call, docs = *docs](SpaceWriter& writer) {
          Result<> outcome;
          docs.for_each_element([&](JsonView doc) {
            if (outcome) outcome = store_revision(writer, doc);
          });
          return outcome;
        },
        [call](const Result<Cursor>& cursor) {
          if (!cursor) return call->fail(cursor.error());
          call->respond_json(201, "[]");
        });
  }

  void get_checkpoint(const api::CallPtr& call) {
    std::optional<Record> record;
    CHECK_CALL(call, spaces_.read(space_of(*call), [&](Snapshot& snapshot) -> Result<> {
      TRY(record, snapshot.find(kLocal, call->param("id")));
      return {};
    }));
    if (!record) return call->fail(Error{ErrorCode::not_found, "missing"});
    call->respond_json(200, record->doc);
  }

  void put_checkpoint(const api::CallPtr& call) {
    CHECK_CALL(call, call->json_object());
    spaces_.write(
        space_of(*call), call->principal().key,
        [call](SpaceWriter& writer) -> Result<> {
          TRY([[maybe_unused]] const Seq seq, writer.replace(kLocal, call->param("id"), call->body(), Rule::direct));
          return {};
        },
        [call](const Result<Cursor>& cursor) {
          if (!cursor) return call->fail(cursor.error());
          std::string body;
          JsonWriter writer(body);
          writer.begin_object().boolean("ok", true).string("id", "_local/" + call->param("id"));
          writer.string("rev", "0-1").end_object();
          call->respond_json(201, std::move(body));
        });
  }

  Spaces& spaces_;
};

}  // namespace

api::FaceModule make_module() {
  api::FaceModule module;
  module.name = "couch";
  CollectionRules only_here;
  only_here.face_only = true;
  module.space_rules[std::string(kSpacePrefix)].collections = {{std::string(kDocs), only_here},
                                                               {std::string(kLocal), only_here}};
  module.make = [](const api::FaceParts& parts) { return std::make_unique<Face>(parts); };
  return module;
}

}  // namespace syncline::couch

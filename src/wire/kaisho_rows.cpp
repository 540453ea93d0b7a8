#include "wire/kaisho_rows.hpp"

#include <algorithm>
#include <array>

namespace syncline::kaisho {
namespace {

using Kind = Field::Kind;

constexpr Field kCreatedAt{.name = "created_at", .kind = Kind::created_at};

constexpr auto kEntryFields =
    std::to_array<Field>({{.name = "customer", .kind = Kind::text_or_null},
                          {.name = "description"},
                          {.name = "start", .kind = Kind::time, .required = true},
                          {.name = "end", .kind = Kind::time_or_null},
                          {.name = "task_id", .kind = Kind::text_or_null},
                          {.name = "contract", .kind = Kind::text_or_null},
                          // Desktops up to 1.7.3 do not know it.
                          {.name = "project", .kind = Kind::text_or_null, .absent = Field::Absent::keeps_stored},
                          {.name = "notes"},
                          {.name = "invoiced", .kind = Kind::flag},
                          kCreatedAt});
constexpr auto kInboxFields = std::to_array<Field>({{.name = "type", .default_text = "NOTE"},
                                                    {.name = "customer"},
                                                    {.name = "title"},
                                                    {.name = "body"},
                                                    {.name = "channel"},
                                                    {.name = "direction", .default_text = "in"},
                                                    kCreatedAt});
constexpr auto kTaskFields = std::to_array<Field>({{.name = "customer"},
                                                   {.name = "title"},
                                                   {.name = "status", .default_text = "TODO"},
                                                   {.name = "tags", .kind = Kind::texts},
                                                   {.name = "body"},
                                                   {.name = "github_url"},
                                                   {.name = "project", .kind = Kind::text_or_null},
                                                   {.name = "milestone", .kind = Kind::text_or_null},
                                                   kCreatedAt});
constexpr auto kNoteFields = std::to_array<Field>({{.name = "customer"},
                                                   {.name = "title"},
                                                   {.name = "body"},
                                                   {.name = "tags", .kind = Kind::texts},
                                                   {.name = "task_id", .kind = Kind::text_or_null},
                                                   {.name = "project"},
                                                   kCreatedAt});
constexpr auto kProjectFields = std::to_array<Field>({{.name = "name", .required = true},
                                                      {.name = "customer"},
                                                      {.name = "status", .default_text = "ACTIVE"},
                                                      {.name = "contract", .kind = Kind::text_or_null},
                                                      {.name = "start", .kind = Kind::text_or_null},
                                                      {.name = "due", .kind = Kind::text_or_null},
                                                      {.name = "color"},
                                                      {.name = "tags", .kind = Kind::texts},
                                                      {.name = "description"},
                                                      {.name = "milestones", .kind = Kind::milestones},
                                                      kCreatedAt});
constexpr std::size_t kFieldsMax = 11;

constexpr std::array<Resource, 5> kResources = {{
    {"entries", "/sync/changes", "/sync/apply", "/sync/ack", "entries:changed", kEntryFields},
    {"inbox", "/sync/inbox/changes", "/sync/inbox/apply", "/sync/inbox/ack", "inbox:changed", kInboxFields},
    {"tasks", "/sync/tasks/changes", "/sync/tasks/apply", "/sync/tasks/ack", "tasks:changed", kTaskFields},
    {"notes", "/sync/notes/changes", "/sync/notes/apply", "/sync/notes/ack", "notes:changed", kNoteFields},
    {"projects", "/sync/projects/changes", "/sync/projects/apply", "/sync/projects/ack", "projects:changed",
     kProjectFields},
}};

/// Unknown members that a row may have: clients of another version, not a way to fill the disk.
constexpr std::size_t kUnknownMembersMax = 100;

/// Members that answers have beside the document.
bool is_reserved(std::string_view name) {
  constexpr std::array<std::string_view, 7> kReserved = {"id",     "updated_at",       "deleted_at", "active",
                                                         "winner", "duration_minutes", "synced_at"};
  return std::ranges::find(kReserved, name) != kReserved.end();
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

/// One spelling for each text, so that another program's spelling of the same is no change.
std::string canonical_text(JsonView text) {
  if (text.as_plain_string()) return std::string(text.raw());
  return quoted(text.as_string().value_or(""));
}

/// A row sorted by the resource's fields. Views into the row.
struct SortedRow {
  std::array<std::optional<JsonView>, kFieldsMax> known;
  std::vector<std::pair<std::string, JsonView>> unknown;
  std::optional<JsonView> deleted_at;
};

Result<SortedRow> sort(const Resource& resource, JsonView row) {
  SortedRow sorted;
  row.for_each_member([&](std::string_view name, JsonView value) {
    const auto field = std::ranges::find(resource.fields, name, &Field::name);
    if (field != resource.fields.end()) {
      sorted.known.at(static_cast<std::size_t>(field - resource.fields.begin())) = value;
    } else if (name == "deleted_at") {
      sorted.deleted_at = value;
    } else if (!is_reserved(name) && sorted.unknown.size() <= kUnknownMembersMax) {
      sorted.unknown.emplace_back(name, value);
    }
  });
  if (sorted.unknown.size() > kUnknownMembersMax) {
    return fail(ErrorCode::invalid_argument,
                "the row has more than " + std::to_string(kUnknownMembersMax) + " unknown members");
  }
  return sorted;
}

std::unexpected<Error> wrong(const Field& field, std::string_view what) {
  return fail(ErrorCode::invalid_argument, std::string(field.name) + " must be " + std::string(what));
}

Result<std::string> shape_texts(const Field& field, JsonView value) {
  bool good = value.is_array();
  std::string out = "[";
  if (good) {
    value.for_each_element([&](JsonView text) {
      good = good && text.is_string();
      if (out.size() > 1) out += ',';
      if (good) out += canonical_text(text);
    });
  }
  if (!good) return wrong(field, "a list of strings");
  return out + ']';
}

Result<std::string> shape_milestones(const Field& field, JsonView value) {
  constexpr std::string_view kForm = "a list of {id, title, done, due}";
  if (!value.is_array()) return wrong(field, kForm);
  std::string out = "[";
  bool good = true;
  value.for_each_element([&](JsonView milestone) {
    if (!milestone.is_object()) {
      good = false;
      return;
    }
    JsonObject members{milestone};
    for (const std::string_view name : {"id", "title"}) {
      const auto text = members.find(name);
      good = good && (!text || text->is_string());
      members.set_text(name, text ? text->as_string().value_or("") : "");
    }
    if (!members.find("done")) members.set("done", "false");
    if (!members.find("due")) members.set("due", "null");
    if (out.size() > 1) out += ',';
    out += members.to_text();
  });
  if (!good) return wrong(field, kForm);
  return out + ']';
}

/// `kept`: what is stored in the field. A time that no client may send is still no reason to refuse another change of
/// a row that has it.
Result<std::string> shape_time(const Field& field, JsonView value, const std::optional<JsonView>& kept) {
  const auto time = parse_client_time(value);
  if (!time) return wrong(field, "a time like 2026-11-22T09:05:00Z");
  std::string text = quoted(format_time(*time));
  if (is_client_time(*time) || (kept && kept->raw() == text)) return text;
  return fail(ErrorCode::invalid_document, std::string(field.name) + " must be " + std::string(kClientYears));
}

Result<std::string> shape_value(const Field& field, JsonView value, const std::optional<JsonView>& kept) {
  switch (field.kind) {
    case Kind::text:
      if (!value.is_string()) return wrong(field, "a string");
      return canonical_text(value);
    case Kind::text_or_null:
      if (!value.is_string()) return wrong(field, "a string or null");
      return value.raw() == R"("")" ? "null" : canonical_text(value);
    case Kind::time:
    case Kind::time_or_null: return shape_time(field, value, kept);
    case Kind::flag:
      if (value.kind() != JsonKind::boolean) return wrong(field, "true or false");
      return std::string(value.raw());
    case Kind::texts: return shape_texts(field, value);
    case Kind::milestones: return shape_milestones(field, value);
    case Kind::created_at: return value.is_string() ? canonical_text(value) : R"("")";
  }
  return std::string(value.raw());
}

std::string default_of(const Field& field, Timestamp now) {
  switch (field.kind) {
    case Kind::text: return quoted(field.default_text);
    case Kind::text_or_null:
    case Kind::time_or_null: return "null";
    case Kind::flag: return "false";
    case Kind::texts:
    case Kind::milestones: return "[]";
    case Kind::time:
    case Kind::created_at: return quoted(format_time(now));
  }
  return "null";
}

/// Which side a field is taken from where both have it.
enum class CreatedAt { of_row, of_stored };

struct Shaper {
  const Resource& resource;
  const SortedRow& row;
  const JsonObject& stored;
  bool deleted;
  Timestamp now;

  [[nodiscard]] Result<std::string> value_of(std::size_t index, CreatedAt created_at) const {
    const Field& field = resource.fields[index];
    const auto& sent = row.known.at(index);
    const auto kept = stored.find(field.name);
    const bool prefers_stored = field.kind == Kind::created_at && created_at == CreatedAt::of_stored;
    if (prefers_stored && kept) return std::string(kept->raw());
    if (sent && sent->kind() != JsonKind::null) return shape_value(field, *sent, kept);
    const bool lacks_required = field.required && !deleted;
    if (lacks_required) return fail(ErrorCode::invalid_argument, std::string(field.name) + " is missing");
    if (kept &&
        (field.required || (!sent && field.absent == Field::Absent::keeps_stored) || field.kind == Kind::created_at)) {
      return std::string(kept->raw());
    }
    return default_of(field, now);
  }

  [[nodiscard]] Result<std::string> deleted_at() const {
    if (!row.deleted_at || row.deleted_at->kind() == JsonKind::null) return quoted(format_time(now));
    return shape_time({.name = "deleted_at", .kind = Kind::time}, *row.deleted_at, stored.find("deleted_at"));
  }

  [[nodiscard]] Result<std::string> document(CreatedAt created_at) const {
    std::string out;
    JsonWriter writer(out);
    writer.begin_object();
    for (std::size_t i = 0; i < resource.fields.size(); ++i) {
      TRY(const std::string value, value_of(i, created_at));
      writer.raw(resource.fields[i].name, value);
    }
    for (const auto& [name, value] : row.unknown) writer.raw(name, value.raw());
    std::size_t unknown = row.unknown.size();
    for (const JsonObject::Member& member : stored.members()) {
      const bool sent = std::ranges::find(row.unknown, member.name, [](const auto& one) -> const std::string& {
                          return one.first;
                        }) != row.unknown.end();
      const bool known = std::ranges::find(resource.fields, member.name, &Field::name) != resource.fields.end();
      if (sent || known || is_reserved(member.name) || unknown == kUnknownMembersMax) continue;
      writer.raw(member.name, member.value);
      unknown += 1;
    }
    if (deleted) {
      TRY(const std::string at, deleted_at());
      writer.raw("deleted_at", at);
    }
    writer.end_object();
    return out;
  }
};

}  // namespace

std::span<const Resource> resources() { return kResources; }

const Resource& entries() { return kResources.front(); }

Result<std::string> shape_row(const Resource& resource, JsonView row, const Record* stored, bool deleted,
                              Timestamp now) {
  TRY(const SortedRow sorted, sort(resource, row));
  const JsonObject old = stored == nullptr ? JsonObject{} : JsonObject{JsonView(stored->doc)};
  const Shaper shaper{resource, sorted, old, deleted, now};
  if (stored != nullptr && !deleted && !stored->deleted) {
    TRY(std::string same, shaper.document(CreatedAt::of_stored));
    if (same == stored->doc) return same;
  }
  return shaper.document(CreatedAt::of_row);
}

void append_row_members(std::string& out, const RecordView& record) {
  out += "\"id\":";
  append_json_string(out, record.id);
  out += ',';
  out.append(record.doc.substr(1, record.doc.size() - 2));
  out += ",\"updated_at\":\"";
  append_time(out, record.updated_at);
  out += record.deleted ? "\"" : "\",\"deleted_at\":null";
}

void append_row(std::string& out, const RecordView& record) {
  out += '{';
  append_row_members(out, record);
  out += '}';
}

std::optional<std::string> why_not_deliverable(const Resource& resource, const RecordView& record) {
  const auto outside = [](std::string_view name, Timestamp time) {
    return std::string(name) + " is " + format_time(time) + ", not " + std::string(kClientYears);
  };
  if (!is_client_time(record.updated_at)) return outside("updated_at", record.updated_at);
  const auto check = [&](std::string_view name) -> std::optional<std::string> {
    const auto time = time_field(record.doc, name);
    return time && !is_client_time(*time) ? std::optional(outside(name, *time)) : std::nullopt;
  };
  for (const Field& field : resource.fields) {
    if (field.kind != Kind::time && field.kind != Kind::time_or_null) continue;
    if (auto why = check(field.name)) return why;
  }
  return record.deleted ? check("deleted_at") : std::nullopt;
}

std::optional<Timestamp> parse_client_time(JsonView value) {
  const auto time = parse_iso_time(value.as_string().value_or(""));
  if (!time) return std::nullopt;
  return *time;
}

Result<> check_order_of_times(const JsonObject& entry) {
  const auto time_in = [&](std::string_view name) {
    const auto value = entry.find(name);
    return value ? parse_client_time(*value) : std::nullopt;
  };
  const auto start = time_in("start");
  const auto end = time_in("end");
  if (!start || !end || *end >= *start) return {};
  return fail(ErrorCode::invalid_argument,
              "the end (" + format_time(*end) + ") is before the start (" + format_time(*start) + ")");
}

std::optional<Timestamp> time_field(std::string_view doc, std::string_view name) {
  const auto value = JsonView(doc).find(name);
  const auto time = parse_time(value ? value->as_string().value_or("") : "");
  if (!time) return std::nullopt;
  return *time;
}

bool is_running(const Record& entry) { return !entry.deleted && !time_field(entry.doc, "end"); }

}  // namespace syncline::kaisho

// Rows of the five resources: which fields each has, how a row of a client becomes the document that is stored, and how
// a stored document becomes a row again. The stored document has every field in its final form, so a page of rows is
// made by splicing bytes. It does not have id, updated_at and deleted_at (but for a tombstone): those are the record's.
#pragma once

#include <span>

#include "base/json_object.hpp"
#include "store/store.hpp"

namespace syncline::kaisho {

/// The space that the rows are kept in.
inline constexpr std::string_view kSpace = "kaisho";
/// Reference lists and settings of the account: records "customers", "tasks" and "config".
inline constexpr std::string_view kReference = "reference";

struct Field {
  enum class Kind {
    text,          // a string; null and absent are ""
    text_or_null,  // a string; "" and absent are null
    time,          // required; any ISO 8601 time with an offset
    time_or_null,
    flag,
    texts,       // a list of strings
    milestones,  // a list of {id, title, done, due}
    created_at,  // whatever the client says, for people to read: never a reason to refuse a row
  };
  /// What an update that lacks the field does to it.
  enum class Absent { sets_default, keeps_stored };

  std::string_view name;
  Kind kind = Kind::text;
  std::string_view default_text;  // of kind text
  Absent absent = Absent::sets_default;
  bool required = false;
};

struct Resource {
  std::string_view collection;
  std::string_view changes_path;
  std::string_view apply_path;
  std::string_view ack_path;
  std::string_view event;  // announced when rows have changed
  std::span<const Field> fields;
};

/// entries, inbox, tasks, notes, projects.
[[nodiscard]] std::span<const Resource> resources();
[[nodiscard]] const Resource& entries();

/// The document to store for `row`, a JSON object, or an error that names the field. Fields that the client does not
/// know keep the values of `stored` (null if there is no such row). If nothing but created_at differs from `stored`,
/// the document is the stored one. `deleted`: a tombstone, which may lack required fields.
[[nodiscard]] Result<std::string> shape_row(const Resource& resource, JsonView row, const Record* stored, bool deleted,
                                            Timestamp now);

/// Appends `"id":...,<every field>,"updated_at":...,"deleted_at":...`, without braces.
void append_row_members(std::string& out, const RecordView& record);
void append_row(std::string& out, const RecordView& record);

/// Why clients cannot take the row, in words: a time outside of the years that all of them can calculate with, which a
/// store of an earlier version may have. Nothing for most rows.
[[nodiscard]] std::optional<std::string> why_not_deliverable(const Resource& resource, const RecordView& record);

/// A time as any client may spell it: ISO 8601 with an offset.
[[nodiscard]] std::optional<Timestamp> parse_client_time(JsonView value);
/// invalid_argument, naming both times, if an entry would end before it starts. For what people set: rows of desktops
/// are taken as they are, for their clocks go back when their zone changes.
[[nodiscard]] Result<> check_order_of_times(const JsonObject& entry);
/// The time in a field of a stored document; nothing for null.
[[nodiscard]] std::optional<Timestamp> time_field(std::string_view doc, std::string_view name);
/// Of a clock entry: nobody has stopped it.
[[nodiscard]] bool is_running(const Record& entry);

}  // namespace syncline::kaisho

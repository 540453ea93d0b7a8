// Records, conflicts and cursors as the native API writes them.
#pragma once

#include "api/call.hpp"
#include "service/spaces.hpp"

namespace syncline::native {

/// How an answer has documents: as values, or each as a string with its text. A client whose JSON parser changes what
/// it reads (large integers, 1.0, the order of members) gets the bytes that the hub has.
enum class Docs { values, text };
/// What the call asks for with ?docs=; invalid_argument for anything but "json" and "text".
[[nodiscard]] Result<Docs> docs_of(const api::Call& call);

void append_record(std::string& out, const RecordView& record, Docs docs = Docs::values);
/// The members of a record without the braces, so that others can follow.
void append_record_members(std::string& out, const RecordView& record, Docs docs = Docs::values);
/// What stands in a list in the place of a record that is damaged.
void append_damaged(std::string& out, const DamagedRecord& damaged);
/// The version that stands where another one lost; nothing if it is damaged.
[[nodiscard]] Result<std::optional<Record>> find_winner(Snapshot& snapshot, const Record& loser);
void append_conflict(std::string& out, const Conflict& conflict, const std::optional<Record>& winner,
                     std::string_view loser_key_label, Docs docs = Docs::values);

/// {"versions":[...]} of a record, newest first, each with the label of the key that wrote it. Defined in records.cpp.
[[nodiscard]] Result<std::string> history_json(Snapshot& snapshot, Access& access, std::string_view collection,
                                               std::string_view id, Docs docs = Docs::values);

/// The members of a space, without the braces.
void append_space_members(JsonWriter& writer, const SpaceInfo& info, const Cursor& cursor);

/// The space named in the call's path.
/// 410 problems tell the current cursor.
void fail_with_cursor(const api::CallPtr& call, const Error& error, const Cursor& current);

}  // namespace syncline::native

// Records, conflicts and cursors as the native API writes them.
#pragma once

#include "api/call.hpp"
#include "service/spaces.hpp"

namespace syncline::native {

void append_record(std::string& out, const RecordView& record);
/// The members of a record without the braces, so that others can follow.
void append_record_members(std::string& out, const RecordView& record);
/// What stands in a list in the place of a record that is damaged.
void append_damaged(std::string& out, const DamagedRecord& damaged);
/// The version that stands where another one lost; nothing if it is damaged.
[[nodiscard]] Result<std::optional<Record>> find_winner(Snapshot& snapshot, const Record& loser);
void append_conflict(std::string& out, const Conflict& conflict, const std::optional<Record>& winner,
                     std::string_view loser_key_label);

/// {"versions":[...]} of a record, newest first, each with the label of the key that wrote it. Defined in records.cpp.
[[nodiscard]] Result<std::string> history_json(Snapshot& snapshot, Access& access, std::string_view collection,
                                               std::string_view id);

/// The members of a space, without the braces.
void append_space_members(JsonWriter& writer, const SpaceInfo& info, const Cursor& cursor);

/// The space named in the call's path.
/// 410 problems tell the current cursor.
void fail_with_cursor(const api::CallPtr& call, const Error& error, const Cursor& current);

}  // namespace syncline::native

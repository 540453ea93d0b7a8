#include "app/admin_store.hpp"

#include <algorithm>

#include "wire/kaisho_rows.hpp"

namespace syncline::app {
namespace {

/// The damaged rows, up to so many.
void append_damage(JsonWriter& writer, const Store& store) {
  constexpr std::size_t kListedMax = 1000;
  const auto rows = store.damage(std::nullopt);
  writer.integer("damaged_rows", static_cast<std::int64_t>(rows.size())).name("damaged").begin_array();
  for (std::size_t i = 0; i < std::min(rows.size(), kListedMax); ++i) {
    const Damage& row = rows[i];
    writer.begin_object()
        .string("table", to_text(row.table))
        .integer("account", row.space.account.value)
        .string("space", row.space.name)
        .string("collection", row.collection)
        .string("id", row.id)
        .integer("seq", row.seq.value)
        .integer("number", row.number)
        .end_object();
  }
  writer.end_array();
}

/// How many live rows of the account no client can take; {"account", "collection", "id", "error"} of the first ones.
Result<std::int64_t> find_undeliverable(CoreServices& core, const Account& account, std::string& list) {
  constexpr std::int64_t kListedMax = 10;
  std::int64_t count = 0;
  CHECK_OK(core.spaces.read({account.number, std::string(kaisho::kSpace)}, [&](Snapshot& snapshot) -> Result<> {
    for (const kaisho::Resource& resource : kaisho::resources()) {
      CHECK_OK(snapshot.scan(std::string(resource.collection), "", [&](const RecordView& record) {
        const auto why = record.deleted ? std::nullopt : kaisho::why_not_deliverable(resource, record);
        if (!why || ++count > kListedMax) return true;
        if (!list.empty()) list += ',';
        JsonWriter(list)
            .begin_object()
            .string("account", account.email)
            .string("collection", resource.collection)
            .string("id", record.id)
            .string("error", *why)
            .end_object();
        return true;
      }));
    }
    return {};
  }));
  return count;
}

}  // namespace

Result<std::string> back_up_store(CoreServices& core, const JsonObject& request) {
  // On a full disk these fail, and a backup to another one is needed most.
  (void)core.access.store_usage();
  (void)core.progress.save();
  const std::string path = request.text_of("path");
  if (const auto made = core.store->backup(path); !made) {
    core.backups.note_failure(path, made.error());
    // Whoever asks takes `unavailable` for a hub that is about to start or to stop, and asks again.
    const bool is_of_target = made.error().code == ErrorCode::unavailable;
    return fail(is_of_target ? ErrorCode::internal : made.error().code, made.error().text);
  }
  core.backups.note_success(path);
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().string("backup", path).string("epoch", core.store->epoch());
  append_damage(writer, *core.store);
  writer.end_object();
  return out;
}

Result<std::string> backup_status(CoreServices& core, const JsonObject& request) {
  const BackupWatch::Status status = core.backups.status();
  const BackupWatch::Terms terms{.every_s = request.integer_of("every_seconds").value_or(0),
                                 .tolerance_s = request.integer_of("tolerance_seconds").value_or(0)};
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().name("last_ok_at");
  status.ok_at.micros == 0 ? writer.null() : writer.string(format_time(status.ok_at));
  writer.string("warning", BackupWatch::warning(status, terms, core.clock.now())).end_object();
  return out;
}

Result<std::string> undeliverable_rows(CoreServices& core, const JsonObject&) {
  TRY(const auto accounts, core.access.accounts());
  std::int64_t count = 0;
  std::string list;
  for (const Account& account : accounts) {
    TRY(const std::int64_t found, find_undeliverable(core, account, list));
    count += found;
  }
  return R"({"count":)" + std::to_string(count) + R"(,"rows":[)" + list + "]}";
}

Result<std::string> verify_store(CoreServices& core, const JsonObject&) {
  TRY(const auto problems, core.store->verify());
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().boolean("ok", problems.empty()).name("problems").begin_array();
  for (const std::string& problem : problems) writer.string(problem);
  writer.end_array();
  if (const std::string warning = core.store_status().warning; !warning.empty()) writer.string("warning", warning);
  append_damage(writer, *core.store);
  writer.end_object();
  return out;
}

}  // namespace syncline::app

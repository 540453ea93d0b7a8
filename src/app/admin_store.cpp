#include "app/admin_store.hpp"

#include <algorithm>

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

}  // namespace

Result<std::string> back_up_store(CoreServices& core, const JsonObject& request) {
  // On a full disk these fail, and a backup to another one is needed most.
  (void)core.access.store_usage();
  (void)core.progress.save();
  const std::string path = request.text_of("path");
  CHECK_OK(core.store->backup(path));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object().string("backup", path).string("epoch", core.store->epoch());
  append_damage(writer, *core.store);
  writer.end_object();
  return out;
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

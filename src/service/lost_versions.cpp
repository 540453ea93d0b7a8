#include "service/lost_versions.hpp"

#include "base/json.hpp"
#include "base/json_object.hpp"

namespace syncline::lost_versions {
namespace {

constexpr std::string_view kValue = "lost_versions";
/// What no device has is never offered: the oldest make room.
constexpr std::size_t kListedMax = 200;

void put(Txn& txn, const std::vector<DamagedRecord>& versions) {
  std::string text;
  if (!versions.empty()) {
    JsonWriter writer(text);
    writer.begin_object().name("versions").begin_array();
    for (const DamagedRecord& version : versions) {
      writer.begin_object()
          .string("collection", version.collection)
          .string("id", version.id)
          .integer("seq", version.seq.value)
          .end_object();
    }
    writer.end_array().end_object();
  }
  txn.put_value(kValue, std::move(text));
}

}  // namespace

Result<std::vector<DamagedRecord>> list(Snapshot& snapshot) {
  std::vector<DamagedRecord> versions;
  snapshot.expect([] { return Reads{.values = {std::string(kValue)}}; });
  TRY(const auto text, snapshot.find_value(kValue));
  if (!text) return versions;
  const JsonObject object{JsonView(*text)};
  if (const auto all = object.find("versions")) {
    all->for_each_element([&](JsonView version) {
      const auto seq = version.find("seq");
      versions.push_back({.collection = version.text_of("collection"),
                          .id = version.text_of("id"),
                          .seq = {seq ? seq->as_integer().value_or(0) : 0},
                          .is_replaced = true});
    });
  }
  return versions;
}

Result<> add(Txn& txn, const DamagedRecord& lost) {
  TRY(auto versions, list(txn));
  versions.push_back(lost);
  if (versions.size() > kListedMax) versions.erase(versions.begin());
  put(txn, versions);
  return {};
}

Result<> settle(Txn& txn, std::string_view collection, std::string_view id, Seq seq) {
  TRY(auto versions, list(txn));
  const auto gone = std::erase_if(versions, [&](const DamagedRecord& version) {
    return version.seq == seq && version.id == id && version.collection == collection;
  });
  if (gone > 0) put(txn, versions);
  return {};
}

}  // namespace syncline::lost_versions

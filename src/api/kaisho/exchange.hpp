// Steps of a node in the dialect of Kaisho's cloud, as its desktops take them: pull and acknowledge each resource page
// by page; push rows by resource, and a timer that has begun through its own call. docs/api/kaisho.md has the wire.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "base/json_object.hpp"
#include "replica/exchange.hpp"
#include "wire/kaisho_rows.hpp"

namespace syncline::kaisho {

class CloudExchange final : public replica::Exchange {
 public:
  explicit CloudExchange(replica::LocalSpace& local) : local_(local) {}

  [[nodiscard]] bool carries(std::string_view collection) const override;
  [[nodiscard]] http::ClientRequest begin_pull() override;
  [[nodiscard]] Result<replica::PullNext> take_pull(const http::ClientResponse& response) override;
  [[nodiscard]] http::ClientRequest begin_push(const replica::Batch& batch) override;
  [[nodiscard]] Result<replica::PushNext> take_push(const replica::Batch& batch,
                                                    const http::ClientResponse& response) override;

 private:
  /// One request of a push.
  struct Part {
    enum class Kind { start, apply };
    Kind kind = Kind::apply;
    const Resource* resource = nullptr;
    std::vector<std::size_t> items;  // of the batch
  };

  [[nodiscard]] const Resource& resource() const { return resources()[at_]; }
  [[nodiscard]] http::ClientRequest ask_changes() const;
  /// Goes on with the next resource, or ends the pull.
  [[nodiscard]] replica::PullNext next_resource();
  [[nodiscard]] Result<replica::PullNext> take_changes(const http::ClientResponse& response);
  [[nodiscard]] http::ClientRequest make_request(const replica::Batch& batch, const Part& part) const;
  [[nodiscard]] Result<> take_start(const replica::Batch& batch, const Part& part,
                                    const http::ClientResponse& response);
  [[nodiscard]] Result<> take_applied(const replica::Batch& batch, const Part& part,
                                      const http::ClientResponse& response);

  replica::LocalSpace& local_;
  /// Entries that the hub failed to start.
  std::set<std::string> unstartable_;

  // The pull that is on the way.
  std::size_t at_ = 0;
  JsonObject positions_;  // a cursor for each resource, and whether one is missing
  bool acknowledges_ = false;
  bool has_more_ = false;

  // The push that is on the way.
  std::deque<Part> parts_;
  replica::PushAnswer answer_;
  /// Stamps of rows whose timer the hub has started with one of its own.
  std::map<std::size_t, Timestamp> stamps_;
};

}  // namespace syncline::kaisho

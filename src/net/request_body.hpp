// The body of a request while it arrives, for Beast's parser: a string that grows with what has come. Beast's own
// string reserves whatever the head announces, which may be much more than ever comes.
#pragma once

#include <algorithm>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/optional.hpp>
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <string>

namespace syncline::net {

struct RequestBody {
  using value_type = std::string;

  class reader {
   public:
    template <bool IsRequest, class Fields>
    reader(boost::beast::http::header<IsRequest, Fields>& /*head*/, value_type& body) : body_(body) {}

    void init(const boost::optional<std::uint64_t>& announced, boost::system::error_code& error) {
      error = {};
      if (announced) announced_ = static_cast<std::size_t>(*announced);
    }

    template <class Buffers>
    std::size_t put(const Buffers& buffers, boost::system::error_code& error) {
      error = {};
      std::size_t taken = 0;
      for (const auto buffer : boost::beast::buffers_range_ref(buffers)) {
        grow(buffer.size());
        body_.append(static_cast<const char*>(buffer.data()), buffer.size());
        taken += buffer.size();
      }
      return taken;
    }

    void finish(boost::system::error_code& error) { error = {}; }

   private:
    /// At once what a smaller body will need, for growing leaves holes in the heap; then twice as much as before, but
    /// not more than there will be.
    void grow(std::size_t by) {
      const std::size_t needed = body_.size() + by;
      if (needed <= body_.capacity()) return;
      const std::size_t wanted = std::max({needed, 2 * body_.capacity(), kReservedBytesMax});
      body_.reserve(announced_ >= needed ? std::min(wanted, announced_) : std::max(needed, 2 * body_.capacity()));
    }

    static constexpr std::size_t kReservedBytesMax = 1UL << 20U;

    value_type& body_;
    std::size_t announced_ = 0;
  };
};

}  // namespace syncline::net

// The records that the load programs write: a record's number alone decides its id and its first document, so one run
// can update what another one wrote. Every document has 300 bytes.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

enum class Ids {
  random,  // 24 hexadecimal digits without any order, as clients make them
  ordered  // like UUIDv7
};

inline constexpr std::size_t kIdBytesMax = 36;

[[nodiscard]] constexpr std::size_t id_bytes(Ids ids) { return ids == Ids::random ? 24 : kIdBytesMax; }

/// SplitMix64.
[[nodiscard]] constexpr std::uint64_t scatter(std::uint64_t number) {
  number += 0x9E3779B97F4A7C15U;
  number = (number ^ (number >> 30U)) * 0xBF58476D1CE4E5B9U;
  number = (number ^ (number >> 27U)) * 0x94D049BB133111EBU;
  return number ^ (number >> 31U);
}

[[nodiscard]] inline std::string make_id(Ids ids, std::uint64_t number) {
  std::array<char, 48> text{};
  if (ids == Ids::random) {
    std::snprintf(text.data(), text.size(), "%016llx%08llx", static_cast<unsigned long long>(scatter(number)),
                  static_cast<unsigned long long>(scatter(~number) & 0xFFFFFFFFU));
  } else {
    const unsigned long long time = 1'763'800'000'000'000U + number;
    std::snprintf(text.data(), text.size(), "%08llx-%04llx-7%03llx-8000-%012llx", (time >> 28U) & 0xFFFFFFFFU,
                  (time >> 12U) & 0xFFFFU, time & 0xFFFU, static_cast<unsigned long long>(number & 0xFFFFFFFFFFFFU));
  }
  return text.data();
}

/// The text of a document's member that fills it up: with an id in `title` it makes 300 bytes. Begins with the version.
[[nodiscard]] inline std::string make_filler(Ids ids) { return "@V" + std::string(253 - id_bytes(ids), 'x'); }

enum class Writing {
  fresh,   // the next new records
  update,  // new documents for any of those with an odd number
  noop     // the stored document again with a newer time, for any of those with an even number
};

/// Prepared text with `batch` records, into which the numbers of the next request are written.
class Batch {
 public:
  struct Options {
    Ids ids = Ids::random;
    Writing writing = Writing::fresh;
    std::uint64_t first = 0;    // fresh: the number of the first record
    std::uint64_t records = 2;  // otherwise: the numbers are below
  };

  /// In `record`, @I stands for the id, @V for 12 digits of the version, @T for a time without its zone.
  Batch(const Options& options, long batch, const std::string& record)
      : options_(options), batch_(static_cast<std::uint64_t>(batch)), next_(options.first) {
    for (long i = 0; i < batch; ++i) {
      if (i > 0) text_ += ',';
      add(record);
    }
  }

  [[nodiscard]] std::size_t size() const { return text_.size(); }
  /// The number after that of the last new record.
  [[nodiscard]] std::uint64_t next_number() const { return next_; }

  const std::string& next() {
    const std::string time = options_.writing == Writing::fresh ? "2026-11-22T00:10:07.004670" : now();
    std::string id;
    std::string version;
    bool begins = true;
    std::uint64_t slot = 0;
    for (const Place& place : places_) {
      switch (place.kind) {
        case Kind::id:
          if (begins) id = make_id(options_.ids, pick(slot++));
          begins = !begins;
          text_.replace(place.at, id.size(), id);
          break;
        case Kind::version:
          version = options_.writing == Writing::update ? digits(++version_) : std::string(kVersionDigits, '0');
          text_.replace(place.at, version.size(), version);
          break;
        case Kind::time: text_.replace(place.at, time.size(), time); break;
      }
    }
    return text_;
  }

 private:
  enum class Kind { id, version, time };
  struct Place {
    std::size_t at;
    Kind kind;
  };
  static constexpr std::size_t kVersionDigits = 12;
  static constexpr std::size_t kTimeBytes = 26;

  void add(std::string_view record) {
    for (std::size_t i = 0; i < record.size(); ++i) {
      if (record[i] != '@') {
        text_ += record[i];
        continue;
      }
      const char kind = record[++i];
      places_.push_back({text_.size(), kind == 'I' ? Kind::id : kind == 'V' ? Kind::version : Kind::time});
      text_.append(kind == 'I' ? id_bytes(options_.ids) : kind == 'V' ? kVersionDigits : kTimeBytes, '0');
    }
  }

  /// No record twice in a batch: each of its slots has a part of the records.
  std::uint64_t pick(std::uint64_t slot) {
    if (options_.writing == Writing::fresh) return next_++;
    const std::uint64_t pairs = options_.records / 2 / batch_;
    const std::uint64_t pair =
        slot * pairs + std::uniform_int_distribution<std::uint64_t>(0, std::max<std::uint64_t>(pairs, 1) - 1)(random_);
    return 2 * pair + (options_.writing == Writing::update ? 1 : 0);
  }

  static std::string digits(std::uint64_t number) {
    std::array<char, 20> text{};
    std::snprintf(text.data(), text.size(), "%012llx", static_cast<unsigned long long>(number & 0xFFFFFFFFFFFFU));
    return text.data();
  }

  static std::int64_t micros() {
    using namespace std::chrono;
    return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
  }

  static std::string now() {
    const std::int64_t time = micros();
    const std::time_t seconds = time / 1'000'000;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 40> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::snprintf(text.data() + size, text.size() - size, ".%06d", static_cast<int>(time % 1'000'000));
    return text.data();
  }

  const Options options_;
  const std::uint64_t batch_;
  std::string text_;
  std::vector<Place> places_;
  std::uint64_t next_;
  std::uint64_t version_ = static_cast<std::uint64_t>(micros());
  std::mt19937_64 random_{static_cast<std::uint64_t>(micros())};
};

[[nodiscard]] inline Ids ids_of(const std::string& text) {
  if (text == "random") return Ids::random;
  if (text == "ordered") return Ids::ordered;
  throw std::invalid_argument("ids are random or ordered, not '" + text + "'");
}

}  // namespace bench

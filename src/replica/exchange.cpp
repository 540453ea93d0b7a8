#include "replica/exchange.hpp"

#include "replica/kaisho_exchange.hpp"
#include "replica/kernle_exchange.hpp"
#include "replica/native_exchange.hpp"

namespace syncline::replica {

std::unique_ptr<Exchange> make_exchange(Dialect dialect, LocalSpace& local, const Limits& limits) {
  switch (dialect) {
    case Dialect::native: return std::make_unique<NativeExchange>(local, limits);
    case Dialect::kaisho: return std::make_unique<KaishoExchange>(local);
    case Dialect::kernle: return std::make_unique<KernleExchange>(local);
  }
  return nullptr;
}

}  // namespace syncline::replica

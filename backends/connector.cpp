#include "backends/connectors.h"

namespace anabranch::backends {

Connector real_connector(conf::Kind kind) {
  return kind == conf::Kind::mysql ? mysql_connector() : postgres_connector();
}

}  // namespace anabranch::backends

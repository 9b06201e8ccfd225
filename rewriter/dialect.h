#pragma once

namespace anabranch::rewriter {

/// Whose SQL a text is in.
enum class Dialect { postgresql, mysql };

}  // namespace anabranch::rewriter

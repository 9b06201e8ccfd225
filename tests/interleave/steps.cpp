#include <array>

#include "session.h"

namespace interleave {

namespace {

// What stands where, and how often: in a database without schemes, and in one with.
constexpr auto kinds = std::to_array<StepKind>({
    {"set", StepKind::anywhere, 12, 12, &Session::set_value},
    {"set several", StepKind::anywhere, 5, 5, &Session::set_several},
    {"set_config", StepKind::anywhere, 5, 5, &Session::set_by_function},
    {"reset", StepKind::anywhere, 4, 4, &Session::reset_value},
    {"reset all", StepKind::anywhere, 1, 1, &Session::reset_all},
    {"discard all", StepKind::anywhere, 1, 1, &Session::discard_all},
    {"begin", StepKind::idle, 12, 12, &Session::begin},
    {"commit", StepKind::open | StepKind::failed, 10, 10, &Session::commit},
    {"rollback", StepKind::open | StepKind::failed, 6, 6, &Session::roll_back},
    {"savepoint", StepKind::open, 8, 8, &Session::savepoint},
    {"rollback to", StepKind::open | StepKind::failed, 8, 8, &Session::roll_back_to},
    {"release", StepKind::open, 4, 4, &Session::release},
    {"refused", StepKind::failed, 3, 3, &Session::refused_in_failed},
    {"write", StepKind::anywhere, 10, 10, &Session::write_row},
    {"read", StepKind::anywhere, 8, 8, &Session::read_rows},
    {"many rows", StepKind::anywhere, 1, 1, &Session::many_rows},
    {"pipeline", StepKind::anywhere, 5, 5, &Session::pipeline},
    {"cursor", StepKind::open, 6, 6, &Session::cursor},
    {"prepare", StepKind::anywhere, 8, 8, &Session::prepare},
    {"execute", StepKind::anywhere, 16, 16, &Session::execute},
    {"sql prepare", StepKind::anywhere, 5, 5, &Session::sql_prepare},
    {"sql execute", StepKind::anywhere, 8, 8, &Session::sql_execute},
    {"deallocate", StepKind::anywhere, 3, 3, &Session::deallocate},
    {"temporary table", StepKind::anywhere, 8, 8, &Session::temporary_table, true},
    {"listen", StepKind::anywhere, 6, 6, &Session::listen_and_notify, true},
    {"session lock", StepKind::anywhere, 5, 5, &Session::session_lock, true},
    {"transaction lock", StepKind::open, 3, 3, &Session::transaction_lock},
    {"number", StepKind::anywhere, 0, 0, &Session::number, true},
    {"failure", StepKind::anywhere, 4, 4, &Session::fail_somehow},
    {"cancel", StepKind::anywhere, 1, 1, &Session::cancel},
    {"late cancel", StepKind::anywhere, 1, 1, &Session::late_cancel},
    {"cut", StepKind::anywhere | StepKind::failed, 1, 1, &Session::cut},
    {"leave", StepKind::anywhere | StepKind::failed, 1, 1, &Session::leave},
    {"think", StepKind::anywhere, 3, 3, &Session::think},
});

}  // namespace

std::span<const StepKind> step_kinds() { return kinds; }

}  // namespace interleave

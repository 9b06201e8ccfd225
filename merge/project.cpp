#include "merge/project.h"

#include "merge/datum_field.h"
#include "values/errors.h"

namespace anabranch::merge {

ProjectOperator::ProjectOperator(const Recipe& recipe, const Shape& shape, const Binding& binding)
    : settings_{.extra_float_digits = binding.extra_float_digits,
                .interval_style_postgres = binding.interval_style_postgres}, block_(shape.size()) {
  for (std::size_t i = 0; i < recipe.outputs.size(); ++i) {
    const auto index = static_cast<std::size_t>(recipe.outputs[i].column);
    const Column& column = shape.at(index);
    const values::Format format = binding.output_formats.at(i);
    if (format != column.format && !values::can_encode(column.type.oid, format, settings_))
      throw values::make_error(
          values::ErrorId::unsupported_clause, "a value of type " + values::type_name(column.type),
          "it cannot be printed after the merge", "Cast it to text inside the query.");
    parts_.push_back({index, column.type.oid, column.format, format});
    unchanged_ = unchanged_ && index == i && format == column.format;
  }
  unchanged_ = unchanged_ && parts_.size() == shape.size();
}

void ProjectOperator::transform(Batch& in, Batch& out) {
  if (unchanged_) {
    out.swap(in);
    return;
  }
  for_each_block(in, block_, [&](std::size_t) {
    for (std::size_t i = 0; i < block_.size(); ++i) {
      RowWriter row(out, static_cast<int>(parts_.size()));
      for (const Part& part : parts_) {
        const Field& field = block_.field(i, part.column);
        if (part.from == part.to || field.is_null())
          row.add_framed(field.framed());
        else
          add_datum(row, values::decode(part.type, part.from, field.value()), part.to, settings_);
      }
      row.finish();
    }
  });
}

}  // namespace anabranch::merge

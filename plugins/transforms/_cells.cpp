// Rows of logits on an even grid of cells: what `Spread` in `_spread.py` does with many operations, in one pass each.
//
// A logit lies in a cell at t in (0, 1] and gives the cells around it the Lagrange weights w_k(t), polynomials of degree
// P - 1. With many logits a cell it is cheaper to sum their powers 1, t, ..., t^(P-1) by cell and to weight the sums.
// Logits [r, n] are float32; `top` [r] is the largest of each row, NaN for a row that cannot be computed on; a logit of
// -infinity is masked: it is in no sum.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace {

constexpr int64_t BLOCK = 64;
constexpr float INFINITE = std::numeric_limits<float>::infinity();

struct Grid {
  float inverse;  // cells per unit
  int64_t size;   // cells of a row
};

// The cell of each of `count` logits, and where in it they lie. NaN and masked logits go to the first cell.
template <int P>
inline void locate(const float* row, float top, int64_t count, const Grid& grid, int32_t* cell, float* place) {
  const float last = static_cast<float>(grid.size - P);
  for (int64_t i = 0; i < count; ++i) {
    const float down = (top - row[i]) * grid.inverse, held = down < last ? down : last;
    const int32_t steps = static_cast<int32_t>(held);
    cell[i] = static_cast<int32_t>(last) - steps;
    place[i] = 1 - (held - static_cast<float>(steps));
  }
}

template <typename Real, int P>
inline Real polynomial(const Real* coefficients, Real t) {
  Real value = coefficients[P - 1];
  for (int j = P - 2; j >= 0; --j) value = value * t + coefficients[j];
  return value;
}

// All P Lagrange weights at once, a lane each: the column j of `weights` [P, P] holds the coefficients of t^j.
template <typename Real, int P>
struct Weights {
  static constexpr int LANES = P <= 4 ? 4 : 8;
  typedef Real Pack __attribute__((vector_size(LANES * sizeof(Real))));
  Pack columns[P];

  explicit Weights(const Real* weights) {
    for (int j = 0; j < P; ++j)
      for (int k = 0; k < LANES; ++k) columns[j][k] = k < P ? weights[k * P + j] : 0;
  }

  inline Pack at(Real t) const {
    Pack value = columns[P - 1];
    for (int j = P - 2; j >= 0; --j) value = value * t + columns[j];
    return value;
  }
};

// sums[j] += value t^j, four or two at a time.
template <typename Real, int P>
inline void add_powers(Real* sums, Real t, Real value) {
  constexpr int W = P % 4 ? 2 : 4;
  typedef Real Pack __attribute__((vector_size(W * sizeof(Real)), aligned(sizeof(Real)), may_alias));
  const Real square = t * t;
  Pack powers;
  if constexpr (W == 4) powers = Pack{value, value * t, value * square, value * t * square};
  else powers = Pack{value, value * t};
  for (int j = 0; j < P; j += W) {
    *reinterpret_cast<Pack*>(sums + j) += powers;
    if (j + W < P) powers *= W == 4 ? square * square : square;
  }
}

// Coefficients [cells, P] of the polynomial between cells that interpolates `cells`.
template <typename Real, int P>
void interpolants(const Real* cells, const Real* weights, int64_t size, Real* coefficients) {
  for (int64_t c = 0; c + P <= size; ++c) {
    Real* one = coefficients + c * P;
    for (int j = 0; j < P; ++j) one[j] = weights[j] * cells[c];
    for (int k = 1; k < P; ++k)
      for (int j = 0; j < P; ++j) one[j] += weights[k * P + j] * cells[c + k];
  }
}

// Sums of powers [cells, P] weighted into sums of Lagrange weights [cells]; `columns` [P, cells] is scratch.
template <typename Real, int P>
void weigh(const Real* sums, const Real* weights, int64_t size, Real* columns, Real* out) {
  for (int64_t c = 0; c < size; ++c)
    for (int j = 0; j < P; ++j) columns[j * size + c] = sums[c * P + j];
  for (int k = 0; k < P; ++k)
    for (int64_t c = 0; c + P <= size; ++c) {
      Real sum = 0;
      for (int j = 0; j < P; ++j) sum += weights[k * P + j] * columns[j * size + c];
      out[c + k] += sum;
    }
}

template <typename Real, int P>
void scatter_row(const float* row, float top, const Real* values, const Real* weights, int64_t n, const Grid& grid,
                 Real* scratch, Real* out) {
  int32_t cell[BLOCK];
  float place[BLOCK];
  const bool many = n > grid.size;
  const Weights<Real, P> lagrange(weights);
  std::fill(out, out + grid.size, Real(0));
  if (many) std::fill(scratch, scratch + grid.size * P, Real(0));
  for (int64_t start = 0; start < n; start += BLOCK) {
    const int64_t count = std::min(BLOCK, n - start);
    locate<P>(row + start, top, count, grid, cell, place);
    for (int64_t i = 0; i < count; ++i) {
      const Real present = row[start + i] == -INFINITE ? 0 : 1, t = place[i];
      const Real value = values ? (present != 0 ? values[start + i] : 0) : present;
      if (many) {
        add_powers<Real, P>(scratch + int64_t(cell[i]) * P, t, value);
      } else {
        const auto shares = value * lagrange.at(t);
        for (int k = 0; k < P; ++k) out[cell[i] + k] += shares[k];
      }
    }
  }
  if (many) weigh<Real, P>(scratch, weights, grid.size, scratch + grid.size * P, out);
}

// `cells` interpolated at the logits, never below `floor`; where logits are masked `masked`.
template <typename Real, int P>
void gather_row(const float* row, float top, const Real* cells, const Real* weights, int64_t n, const Grid& grid,
                Real floor, Real masked, Real* scratch, Real* out) {
  int32_t cell[BLOCK];
  float place[BLOCK];
  if (std::isnan(top)) return std::fill(out, out + n, std::numeric_limits<Real>::quiet_NaN());
  const bool many = n > grid.size;
  const Weights<Real, P> lagrange(weights);
  if (many) interpolants<Real, P>(cells, weights, grid.size, scratch);
  for (int64_t start = 0; start < n; start += BLOCK) {
    const int64_t count = std::min(BLOCK, n - start);
    locate<P>(row + start, top, count, grid, cell, place);
    for (int64_t i = 0; i < count; ++i) {
      Real value = 0;
      const Real t = place[i];
      if (many) {
        value = polynomial<Real, P>(scratch + int64_t(cell[i]) * P, t);
      } else {
        const auto shares = lagrange.at(t);
        for (int k = 0; k < P; ++k) value += cells[cell[i] + k] * shares[k];
      }
      out[start + i] = row[start + i] == -INFINITE ? masked : std::max(value, floor);
    }
  }
}

// value * first - second at the logits; 0 where logits are masked and in rows that cannot be computed on.
template <typename Real, int P>
void difference_row(const float* row, float top, const Real* values, const Real* first, const Real* second,
                    const Real* weights, int64_t n, const Grid& grid, Real* scratch, float* out) {
  int32_t cell[BLOCK];
  float place[BLOCK];
  if (std::isnan(top)) return std::fill(out, out + n, 0.0f);
  const bool many = n > grid.size;
  const Weights<Real, P> lagrange(weights);
  Real *a = scratch, *b = scratch + grid.size * P;
  if (many) interpolants<Real, P>(first, weights, grid.size, a), interpolants<Real, P>(second, weights, grid.size, b);
  for (int64_t start = 0; start < n; start += BLOCK) {
    const int64_t count = std::min(BLOCK, n - start);
    locate<P>(row + start, top, count, grid, cell, place);
    for (int64_t i = 0; i < count; ++i) {
      Real one = 0, two = 0;
      const Real t = place[i];
      if (many) {
        one = polynomial<Real, P>(a + int64_t(cell[i]) * P, t), two = polynomial<Real, P>(b + int64_t(cell[i]) * P, t);
      } else {
        const auto shares = lagrange.at(t);
        for (int k = 0; k < P; ++k) one += first[cell[i] + k] * shares[k], two += second[cell[i] + k] * shares[k];
      }
      out[start + i] = row[start + i] == -INFINITE ? 0.0f : static_cast<float>(values[start + i] * one - two);
    }
  }
}

// `one(i, scratch)` for every row i; scratch holds 2 P numbers a cell.
template <typename Real, int P, typename Row>
void each_row(int64_t r, int64_t size, int threads, Row one) {
#pragma omp parallel num_threads(threads) if (threads > 1)
  {
    std::vector<Real> scratch(2 * size * P);
#pragma omp for
    for (int64_t i = 0; i < r; ++i) one(i, scratch.data());
  }
}

}  // namespace

extern "C" void survey(const float* rows, int64_t r, int64_t n, float* top, float* low, int threads) {
  constexpr int LANES = 16;
#pragma omp parallel for num_threads(threads) if (threads > 1)
  for (int64_t i = 0; i < r; ++i) {
    const float* row = rows + i * n;
    float most[LANES], least[LANES];
    int32_t poisoned[LANES] = {};
    std::fill(most, most + LANES, -INFINITE);
    std::fill(least, least + LANES, INFINITE);
    const auto look = [&](int k, float value) {
      const float present = value == -INFINITE ? INFINITE : value;
      most[k] = value > most[k] ? value : most[k];
      least[k] = present < least[k] ? present : least[k];
      poisoned[k] |= !(value < INFINITE);
    };
    int64_t j = 0;
    for (; j + LANES <= n; j += LANES)
      for (int k = 0; k < LANES; ++k) look(k, row[j + k]);
    for (; j < n; ++j) look(0, row[j]);
    const float highest = *std::max_element(most, most + LANES);
    const bool bad = *std::max_element(poisoned, poisoned + LANES) || highest == -INFINITE;
    top[i] = bad ? std::numeric_limits<float>::quiet_NaN() : highest;
    low[i] = *std::min_element(least, least + LANES);
  }
}

#define FUNCTIONS(REAL, P)                                                                                             \
  extern "C" void scatter_##REAL##_##P(const float* rows, const float* top, const REAL* values, const REAL* weights,   \
                                       REAL* out, int64_t r, int64_t n, float inverse, int64_t size,                   \
                                       int threads) {                                                                  \
    each_row<REAL, P>(r, size, threads, [=](int64_t i, REAL* scratch) {                                                \
      scatter_row<REAL, P>(rows + i * n, top[i], values ? values + i * n : nullptr, weights, n, {inverse, size},       \
                           scratch, out + i * size);                                                                   \
    });                                                                                                                \
  }                                                                                                                    \
  extern "C" void gather_##REAL##_##P(const float* rows, const float* top, const REAL* cells, const REAL* weights,     \
                                      REAL* out, int64_t r, int64_t n, float inverse, int64_t size,                    \
                                      float floor, float masked, int threads) {                                        \
    each_row<REAL, P>(r, size, threads, [=](int64_t i, REAL* scratch) {                                                \
      gather_row<REAL, P>(rows + i * n, top[i], cells + i * size, weights, n, {inverse, size}, floor, masked,          \
                          scratch, out + i * n);                                                                       \
    });                                                                                                                \
  }                                                                                                                    \
  extern "C" void difference_##REAL##_##P(const float* rows, const float* top, const REAL* values, const REAL* first,  \
                                          const REAL* second, const REAL* weights, float* out, int64_t r, int64_t n,   \
                                          float inverse, int64_t size, int threads) {                                  \
    each_row<REAL, P>(r, size, threads, [=](int64_t i, REAL* scratch) {                                                \
      difference_row<REAL, P>(rows + i * n, top[i], values + i * n, first + i * size, second + i * size, weights, n,   \
                              {inverse, size}, scratch, out + i * n);                                                  \
    });                                                                                                                \
  }

FUNCTIONS(float, 4)
FUNCTIONS(float, 6)
FUNCTIONS(double, 6)

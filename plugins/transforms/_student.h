// Functions of Student's t distribution by polynomials: see `_tails.py`.
//
// With z = -s cot(s) the distribution function is s^df G(y) for z <= 0 and the hazard s K(y), y = 8 s^2 / pi^2 - 1; the
// density is their product. G and K are polynomials. Points are in double, functions of them in float.

#pragma once

#ifdef WIDE  // vectors of 16 floats
#pragma GCC target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#ifdef __SSE__
#include <xmmintrin.h>
#endif

namespace {

// Subnormal numbers count as 0 while it lives: arithmetic on them is a hundred times slower.
struct Flush {
#ifdef __SSE__
  unsigned before = _mm_getcsr();
  Flush() { _mm_setcsr(before | 0x8040); }
  ~Flush() { _mm_setcsr(before); }
#endif
};

constexpr int TERMS = 9;
constexpr double PI = 3.14159265358979323846;

struct Law {
  double df, scale, log_error, width;
  const float *arc, *tail, *hazard, *log;  // coefficients [TERMS] of y^0, ..., arc of t^2, log of (1 - tail)
  const double *node, *weight;             // Gauss-Legendre on [0, 1]
  const double *point, *basis;             // Chebyshev points; coefficients of powers in the polynomial 1 at point p
};

inline float horner(const float* __restrict c, float y) {
  float value = c[TERMS - 1];
  for (int k = TERMS - 2; k >= 0; --k) value = value * y + c[k];
  return value;
}

// exp(t) for |t| < 700, without a call.
inline double power_of_e(double t) {
  const double shift = 6755399441055744.0, moved = t * 1.4426950408889634 + shift, whole = moved - shift;
  const double r = t - whole * 0.6931471805599453 - whole * 2.3190468138462996e-17;
  double value = 1.0 / 479001600;
  const double c[] = {1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
                      1.0 / 120,      1.0 / 24,      1.0 / 6,      0.5,         1.0,        1.0};
  for (double one : c) value = value * r + one;
  int64_t bits, exponent;
  std::memcpy(&bits, &moved, 8), std::memcpy(&exponent, &value, 8);
  exponent += bits << 52;
  std::memcpy(&value, &exponent, 8);
  return value;
}

// F(x - m), less 1 right of m, and, if wanted, h(x - m) at q points; z, s and power are scratch.
template <bool HAZARD>
void evaluate(const Law& law, const double* __restrict x, double m, int64_t q, float* __restrict cdf,
              float* __restrict h, float* __restrict z, float* __restrict s, float* __restrict power) {
  const float scale = static_cast<float>(law.scale), half = static_cast<float>(PI / 2);
  const float square = static_cast<float>(8 / (PI * PI)), least = 1e-37f;
  const int whole = static_cast<int>(law.df);
  const float part = static_cast<float>(law.df - whole), first = whole ? 1.0f : 0.0f;
  float arcs[TERMS], tails[TERMS], hazards[TERMS];
  std::copy_n(law.arc, TERMS, arcs), std::copy_n(law.tail, TERMS, tails), std::copy_n(law.hazard, TERMS, hazards);
#pragma omp simd
  for (int64_t i = 0; i < q; ++i) z[i] = static_cast<float>(x[i] - m);
#pragma omp simd
  for (int64_t i = 0; i < q; ++i) {
    const float size = std::fabs(z[i]);
    const float t = (size < scale ? size : scale) / (size < scale ? scale : size);
    const float arc = t * horner(arcs, t * t * 2 - 1);
    s[i] = size < scale ? half - arc : arc;
    power[i] = first * s[i] + (1 - first);
  }
  for (int k = 1; k < whole; ++k)
#pragma omp simd
    for (int64_t i = 0; i < q; ++i) power[i] *= s[i];
  if (part != 0)
    for (int64_t i = 0; i < q; ++i) power[i] *= std::pow(s[i], part);
#pragma omp simd
  for (int64_t i = 0; i < q; ++i) {
    const float y = s[i] * s[i] * square - 1, tail = power[i] * horner(tails, y);
    const float below = z[i] < 0 ? 1.0f : 0.0f;
    cdf[i] = below * (tail + least) - (1 - below) * tail;
    if (HAZARD) h[i] = s[i] * horner(hazards, y) * (below + (1 - below) * tail / (1 - tail));
  }
}

// F from what `evaluate` gives: in double, since 1 less a small tail is 1 in float.
inline double whole(float cdf) { return cdf > 0 ? double(cdf) : 1.0 + cdf; }

}  // namespace

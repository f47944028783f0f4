/**
 * The coefficients of functions.ts, in memory: an engine makes a vector constant anew at each use, in up to four instructions, where a
 * broadcast from memory is one. (Static data would lie in tfjs's memory, so they are written when a thread starts.)
 */

/** Where each function's coefficients begin, in bytes. */
export const EXP: usize = 0;
export const LOG: usize = EXP + 12 * 4;
export const TANH: usize = LOG + 14 * 4;
export const ERF: usize = TANH + 12 * 4;
export const GELU: usize = ERF + 13 * 4;
export const CONSTANT_BYTES: i32 = <i32>(GELU + 10 * 4);

let place: usize = 0;

function put(value: f32): void {
  store<f32>(place, value);
  place += 4;
}

export function writeConstants(table: usize): void {
  place = table + EXP;
  put(89);
  put(-104);
  put(1.44269504088896341);
  put(12582912);
  put(-0.693359375);
  put(2.1219444e-4);
  put(1.98756915e-4);
  put(1.3981999507e-3);
  put(8.3334519073e-3);
  put(4.1665795894e-2);
  put(1.6666665459e-1);
  put(5.0000001201e-1);
  place = table + LOG;
  put(1.17549435e-38);
  put(8388608);
  put(0.707106781186547524);
  put(7.0376836292e-2);
  put(-1.151461031e-1);
  put(1.167699874e-1);
  put(-1.2420140846e-1);
  put(1.4249322787e-1);
  put(-1.6668057665e-1);
  put(2.0000714765e-1);
  put(-2.4999993993e-1);
  put(3.3333331174e-1);
  put(-2.1219444e-4);
  put(0.693359375);
  place = table + TANH;
  put(7.90531110763549805);
  put(-2.76076847742355e-16);
  put(2.00018790482477e-13);
  put(-8.60467152213735e-11);
  put(5.12229709037114e-8);
  put(1.48572235717979e-5);
  put(6.37261928875436e-4);
  put(4.89352455891786e-3);
  put(1.19825839466702e-6);
  put(1.18534705686654e-4);
  put(2.268434632439e-3);
  put(4.89352518554385e-3);
  place = table + ERF;
  put(4);
  put(-2.72614225801306e-10);
  put(2.77068142495902e-8);
  put(-2.10102402082508e-6);
  put(-5.69250639462346e-5);
  put(-7.34990630326855e-4);
  put(-2.95459980854025e-3);
  put(-1.60960333262415e-2);
  put(-1.45660718464996e-5);
  put(-2.13374055278905e-4);
  put(-1.68282697438203e-3);
  put(-7.37332916720468e-3);
  put(-1.42647390514189e-2);
  place = table + GELU;
  put(0.5);
  put(1);
  put(0.70710678118654752); // sqrt(1/2)
  put(0.39894228040143268); // 1 / sqrt(2 pi)
  put(-0.5);
  put(0.79788456080286536); // sqrt(2 / pi)
  put(0.044715);
  put(0.134145); // three times that
  put(-1);
  put(0);
}

import type { Solution } from '../methods/influence/conjugate-gradient.ts'
import type { FittedModel } from './models.ts'

/**
 * What a ranking by influence rests on and does not have, in sentences: an optimum, curvature in as many directions as were asked for. Influence is
 * ∇qᵀH⁻¹∇ℓ at a minimum (R §3); where the gradient is not 0 or H not positive it is still a ranking, but a coarser one.
 */
export function optimumCaveats({ plan, trained }: FittedModel): string[] {
  const norm = trained?.fitted.gradientNorm ?? 0
  // A convex model says so itself when it stopped too early; a network is hardly ever at an optimum, only near one.
  if (!trained || trained.architecture.hidden.length === 0 || norm <= FAR) return []
  return [
    `\`${plan.name}\` stopped with a gradient norm of ${norm.toPrecision(2)}: influence assumes an optimum, so its sizes are rough here. Give it more epochs, or compare with \`by loss\`.`,
  ]
}

/** Of the gradient of the mean objective; digits learned for ten epochs by 64 hidden units are at 0.3, and complaints about them still rank at 0.98 and more. */
const FAR = 0.1

/** Where fewer eigenvectors are used than a method was to use. */
export function pairsCaveat(model: FittedModel, found: number, wanted: number): string[] {
  const parameters = model.trained?.theta.length ?? 0
  if (found >= Math.min(wanted, parameters)) {
    return wanted > parameters
      ? [`\`${model.plan.name}\` has ${parameters} parameters: all ${found} eigenvectors are used, not ${wanted}.`]
      : []
  }
  const most = wanted > parameters ? `its ${parameters} parameters give no more than ${parameters}` : `${wanted} were asked for`
  return [
    `The Hessian of \`${model.plan.name}\` has ${found} positive eigenvalue${found === 1 ? '' : 's'}, and ${most}: the others are negative or no more than rounding, and are left out.`,
  ]
}

export function conjugateGradientCaveat(model: FittedModel, { iterations, residual, converged, negativeCurvature }: Solution): string[] {
  if (negativeCurvature) {
    return [
      `The Hessian of \`${model.plan.name}\` is negative in a direction that conjugate gradients met after ${iterations} iterations: it is not at a minimum, and the ranking is as of the step before. Train it longer, or add a damping, as in \`cg(damping: 0.01)\`.`,
    ]
  }
  if (converged) return []
  return [
    `Conjugate gradients stopped after ${iterations} iterations at a relative residual of ${residual.toExponential(1)}: more \`iterations\` or a \`damping\` make it smaller.`,
  ]
}

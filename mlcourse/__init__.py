"""Meta-learning, small enough to read in an evening.

Read it in this order: tasks, images, models, derivatives, objectives, inner, meta, implicit, training, evaluate; then
executors, finite, omniglot, omniglot_files, metric, few_shot, robots, policy, tables, table_files, baselines. To follow
theta: meta asks inner for the places that gradient steps lead to, inner asks objectives for the first of them, and each
place (derivatives) knows its value, grad and hvp. Which gradient an implementation gives is told by diagnosis, which
compares (measured) what it gives with recipes, made of ingredients, and explains (explaining) the difference by known
deviations. The course's own tools (worked examples, problems, figures, panels) are in mlcourse.classroom, which imports
these modules and is never imported by them.
"""

from mlcourse.checks import DivergenceError
from mlcourse.evaluate import Report, compare, confidence_interval, evaluate_episode, meta_test, sweep
from mlcourse.executors import processes, run_all
from mlcourse.few_shot import few_shot_accuracy, head_only
from mlcourse.images import Glyphs
from mlcourse.implicit import conjugate_gradient, imaml
from mlcourse.inner import adapt, descend, trajectory
from mlcourse.meta import MetaGradient, fomaml, joint_training, maml, reptile
from mlcourse.metric import matching_networks, prototypical_networks
from mlcourse.models import MLP, Linear, relu, tanh
from mlcourse.objectives import cross_entropy, mean_squared_error, place
from mlcourse.omniglot import Omniglot
from mlcourse.policy import GaussianPolicy, meta_train_on_policy, on_policy_episode, policy_gradient, returns_after
from mlcourse.recipes.diagnosis import Diagnosis, diagnose
from mlcourse.robots import GaussianBandit, PointRobot, roll_out
from mlcourse.tables import FromTable
from mlcourse.tasks import Data, Episode, Lines, Polynomials, Quadratics, Sinusoids, TaskDistribution
from mlcourse.training import MetaState, adam, meta_train, sgd

__all__ = [
    "MLP",
    "Data",
    "Diagnosis",
    "DivergenceError",
    "Episode",
    "FromTable",
    "GaussianBandit",
    "GaussianPolicy",
    "Glyphs",
    "Linear",
    "Lines",
    "MetaGradient",
    "MetaState",
    "Omniglot",
    "PointRobot",
    "Polynomials",
    "Quadratics",
    "Report",
    "Sinusoids",
    "TaskDistribution",
    "adam",
    "adapt",
    "compare",
    "confidence_interval",
    "conjugate_gradient",
    "cross_entropy",
    "descend",
    "diagnose",
    "evaluate_episode",
    "few_shot_accuracy",
    "fomaml",
    "head_only",
    "imaml",
    "joint_training",
    "maml",
    "matching_networks",
    "mean_squared_error",
    "meta_test",
    "meta_train",
    "meta_train_on_policy",
    "on_policy_episode",
    "place",
    "policy_gradient",
    "processes",
    "prototypical_networks",
    "relu",
    "reptile",
    "returns_after",
    "roll_out",
    "run_all",
    "sgd",
    "sweep",
    "tanh",
    "trajectory",
]

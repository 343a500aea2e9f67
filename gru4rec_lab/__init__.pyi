# What editors complete; tests/test_public.py holds it equal to `_HOME` in __init__.py.

from .answers import recommend as recommend
from .baselines import BASELINES as BASELINES
from .batches import session_parallel as session_parallel
from .config import Config as Config
from .data.catalogue import list_datasets as list_datasets
from .data.catalogue import load_sessions as load_sessions
from .data.check import check_sessions as check_sessions
from .data.flights import flight_routes as flight_routes
from .data.lab_split import load_split as load_split
from .data.sessions import Sessions as Sessions
from .evaluation import compare as compare
from .evaluation import evaluate as evaluate
from .losses import LOSSES as LOSSES
from .losses import elu as elu
from .losses import elu_grad as elu_grad
from .losses import score_regulariser as score_regulariser
from .losses import score_regulariser_grad as score_regulariser_grad
from .model import carried as carried
from .recommender import Recommender as Recommender
from .recommender import load_model as load_model
from .recommender import network_of as network_of
from .sampling import Sampler as Sampler
from .sampling import copies as copies
from .sampling import popularity_weight as popularity_weight
from .score_matrix import loss_and_gradient as loss_and_gradient
from .score_matrix import split_columns as split_columns
from .sweeps.search import search as search
from .sweeps.spaces import SPACES as SPACES
from .sweeps.store import load_sweep as load_sweep
from .sweeps.sweep import sweep as sweep
from .sweeps.trials import grid as grid
from .training.controls import ControlChanged as ControlChanged
from .training.controls import Controls as Controls
from .training.events import Report as Report
from .training.events import StepDone as StepDone
from .training.live import LiveRun as LiveRun
from .training.loop import fit as fit
from .training.loop import resume as resume
from .training.loop import train as train
from .training.loop import train_from as train_from
from .training.observe import at_epochs as at_epochs

__version__: str

import pickle

from mvae.music.reasons import Reason, Rejected


def test_rejections_cross_process_borders():
    error = pickle.loads(pickle.dumps(Rejected(Reason.EMPTY, 'no notes')))
    assert error.reason is Reason.EMPTY and str(error) == 'no notes'
